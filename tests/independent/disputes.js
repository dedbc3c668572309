"use strict";
// Disputes: what a witness shows of a leaf, what an account held after a block, commitments, tickets, and who signed two headers.

const N = require("./numbers.js");
const C = require("./codecs.js");
const E = require("./commitments.js");
const { keccak } = require("./keccak.js");
const { readMarket } = require("./market.js");
const { Shared } = require("./batch.js");

const { fromHex, toHex } = C;
const UNPRICED = 2n ** 256n - 1n;
const REQUIREMENT_SCALE = 10n ** 44n;
const MISSING = ["MissingExpiry", "MissingUnderlying", "MissingModelSection", "UnknownInstrument"];

const distance = (a, b) => N.abs(a - b);
const greatest = (...values) => values.reduce((a, b) => N.max(a, b), 0n);
const sum = (values) => values.reduce((total, value) => total + value, 0n);

const requireHash = (name, given, expected) => {
  if (given !== expected) N.refuse(name, { given, expected });
};

/** Figures where index[i] of the i-th held underlying counts as its worst; null for bytes that name no such thing, and why. */
function repriced({ value, spotValue, scans }, choices) {
  const bytes = [...fromHex(choices)];
  const named = scans.every((scan, i) => bytes[2 * i] === Number(scan.underlying));
  if (bytes.length !== 2 * scans.length || !named) return { refusal: ["WrongChoices", { choices }] };
  const indices = scans.map((_, i) => bytes[2 * i + 1]);
  const beyond = scans.findIndex(({ losses }, i) => indices[i] >= losses.length);
  if (beyond >= 0) {
    const args = { index: String(indices[beyond]), count: String(scans[beyond].losses.length) };
    return { refusal: ["ScenarioOutOfRange", args] };
  }
  const requirement = (factor, part) =>
    N.ceilDiv(
      sum(
        scans.map(
          (scan, i) =>
            scan[factor] * N.max(0n, scan.losses[indices[i]]) + sum(scan.addOns.map((row) => row[part])),
        ),
      ),
      REQUIREMENT_SCALE,
    );
  const initial = requirement("initialFactor", "initial");
  const maintenance = requirement("maintenanceFactor", "maintenance");
  return { indices, figures: { value, spotValue, initial, maintenance } };
}

/** [whether wrong, by how much]: requirements above those found count only where `above` says so. */
function compared(leaf, found, above) {
  const below = greatest(
    distance(leaf.value, found.value),
    distance(leaf.spotValue, found.spotValue),
    found.initial - leaf.initial,
    found.maintenance - leaf.maintenance,
  );
  const over = [N.max(0n, leaf.initial - found.initial), N.max(0n, leaf.maintenance - found.maintenance)];
  if (above === "never") return [below > 0n, below];
  const indexAlone = above === "unless both" && over.every((gap) => gap > 0n);
  const difference = indexAlone ? below : greatest(below, ...over);
  return [difference > 0n || over.some((gap) => gap > 0n), difference];
}

function shown(leaf, figures, choices, own) {
  if (choices === "0x") {
    const found = { ...figures, initial: figures.initialMargin, maintenance: figures.maintenanceMargin };
    const worst = toHex(Buffer.from(figures.scans.flatMap((s) => [Number(s.underlying), s.worst])));
    const [isWrong, difference] = compared(leaf, found, "always");
    return [isWrong || worst !== own, difference];
  }
  const atOwn = repriced(figures, own);
  if (choices !== own) {
    const there = repriced(figures, choices);
    if (there.refusal) N.refuse(...there.refusal);
    const outcome = compared(leaf, there.figures, "never");
    if (outcome[0]) return outcome;
    if (atOwn.refusal) return [true, 0n];
    const isWorse = ({ losses }, i) => {
      const [a, b] = [there.indices[i], atOwn.indices[i]];
      return losses[a] > losses[b] || (losses[a] === losses[b] && a < b);
    };
    if (figures.scans.some(isWorse)) return [true, 0n];
  }
  return atOwn.refusal ? [true, 0n] : compared(leaf, atOwn.figures, "unless both");
}

function difference({ registry, model, market, portfolio, marketHash, leaf, choices }) {
  requireHash("WrongPortfolioBytes", toHex(keccak(fromHex(portfolio))), leaf.portfolioHash);
  requireHash("WrongMarketBytes", toHex(readMarket(fromHex(market)).hash), marketHash);
  let figures;
  try {
    figures = new Shared().margin({ registry, model, market, portfolio });
  } catch (error) {
    if (MISSING.includes(error.refusal)) return UNPRICED;
    throw error;
  }
  const stated = {
    value: BigInt(leaf.portfolioValue),
    spotValue: BigInt(leaf.spotValue),
    initial: BigInt(leaf.initialMargin),
    maintenance: BigInt(leaf.maintenanceMargin),
  };
  const [isWrong, by] = shown(stated, figures, choices, leaf.worstScenarios);
  if (!isWrong) N.refuse("LeafIsRight", { account: leaf.account, choices });
  return by;
}

function judgement(input) {
  if (toHex(keccak(fromHex(input.model))) !== input.modelHash)
    N.refuse("UnknownModel", { hash: input.modelHash });
  const by = difference(input);
  const isMaterial = by > 0n && by >= BigInt(input.materialityE8);
  return { differenceE8: by.toString(), penalty: isMaterial ? "bonds" : "bounty" };
}

const bytesOf = (value, length) =>
  Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * length, "0"),
    "hex",
  );
const folded = (word, { blockNumber, portfolioHash }) =>
  keccak(Buffer.concat([word, bytesOf(blockNumber, 8), fromHex(portfolioHash)]));

function history({ word, before, changedAt, portfolioHash, later, blockNumber }) {
  const hasChanged = BigInt(changedAt) > 0n;
  const start = hasChanged
    ? folded(fromHex(before), { blockNumber: changedAt, portfolioHash })
    : Buffer.alloc(32);
  const reached = toHex(later.reduce(folded, start));
  if (reached !== word) N.refuse("WrongHistory", { reached, expected: word });
  const nextAt = later.length ? later[0].blockNumber : "0";
  const isLast = BigInt(changedAt) <= BigInt(blockNumber);
  if (!isLast || (later.length && BigInt(nextAt) <= BigInt(blockNumber))) {
    N.refuse("NotLastChange", { blockNumber, changedAt, nextAt });
  }
  return { held: hasChanged ? portfolioHash : toHex(keccak(Buffer.alloc(0))) };
}

function commitment({ claimant, kind, round, subject, salt }) {
  const what = keccak(Buffer.concat([bytesOf(kind, 32), bytesOf(round, 32), fromHex(subject)]));
  return { commitment: toHex(keccak(Buffer.concat([bytesOf(claimant, 32), what, fromHex(salt)]))) };
}

function tickets({ round, headerHash, leaves, ...domain }) {
  const type = keccak(Buffer.from("Tickets(uint64 round,bytes32 headerHash,bytes32[] leaves)"));
  const list = keccak(Buffer.concat(leaves.map(fromHex)));
  const hash = keccak(Buffer.concat([type, bytesOf(round, 32), fromHex(headerHash), list]));
  return { structHash: toHex(hash), digest: toHex(E.digest(domain, hash)) };
}

function equivocation({ first, second, firstSignature, secondSignature, ...domain }) {
  if (first.round !== second.round) N.refuse("DifferentRounds", { first: first.round, second: second.round });
  const hashes = [first, second].map((header) => E.structHash("EpochHeader", header));
  if (hashes[0].equals(hashes[1])) N.refuse("SameHeader", { headerHash: toHex(hashes[0]) });
  const signers = [firstSignature, secondSignature].map((text, i) => {
    const signature = fromHex(text);
    if (signature.length !== 65) N.refuse("WrongSignatureLength", { length: String(signature.length) });
    return toHex(E.recover(E.digest(domain, hashes[i]), signature, "0"));
  });
  if (signers[0] !== signers[1]) N.refuse("DifferentSigners", { first: signers[0], second: signers[1] });
  return { signer: signers[0] };
}

const DISPUTE_TOPICS = {
  "dispute/judgement": judgement,
  "dispute/history": history,
  "dispute/commitment": commitment,
  "dispute/tickets": tickets,
  "dispute/equivocation": equivocation,
};

module.exports = { DISPUTE_TOPICS };
