"use strict";
// One function per topic: a case's input to its expected value, or a refusal.

const N = require("./numbers.js");
const C = require("./codecs.js");
const E = require("./commitments.js");
const { decimals, integers, ARITHMETIC_TOPICS } = require("./arithmetic_topics.js");
const { DISPUTE_TOPICS } = require("./disputes.js");
const { readModel, chargeCount } = require("./model.js");
const { readMarket, abridgedHash } = require("./market.js");
const { resolve } = require("./valuation.js");
const { figuresText, Shared } = require("./batch.js");
const { keccak } = require("./keccak.js");

const { fromHex, toHex } = C;
const text = (value) => value.toString();

const figuresOf = (account) => figuresText(new Shared().margin(account));

function modelCodec({ bytes }) {
  const data = fromHex(bytes);
  const sections = readModel(data).map(({ scenarios, ...section }) => ({
    ...section,
    indexCount: text(scenarios.length + chargeCount(section)),
    scenarios: scenarios.map(({ spot, kind, amount, weight }) => ({
      spot,
      volKind: kind,
      volAdd: amount,
      weight,
    })),
  }));
  return { sections: decimals(sections), hash: toHex(keccak(data)) };
}

function value(input) {
  const { underlying, kind, expiry, strike } = integers(input);
  const valuation = new Shared().valuation(input);
  return decimals(valuation.row({ underlying, kind, expiry, strike }));
}

function trade({ portfolio, id, quantity }) {
  const book = new Map(
    C.readPortfolio(fromHex(portfolio)).map((position) => [position.id, position.quantity]),
  );
  const after = (book.get(BigInt(id)) ?? 0n) + BigInt(quantity);
  if (after === 0n) book.delete(BigInt(id));
  else book.set(BigInt(id), after);
  const ids = [...book.keys()].sort((a, b) => (a < b ? -1 : 1));
  const positions = C.checkPositions(ids.map((key) => ({ id: key, quantity: book.get(key) })));
  return { portfolio: toHex(C.writePortfolio(positions)) };
}

const signed = (domain, name, values) => {
  const hash = E.structHash(name, values);
  return { structHash: toHex(hash), digest: toHex(E.digest(domain, hash)) };
};

function quorum({ header, attesters, threshold, signatures, ...domain }) {
  const digest = E.digest(domain, E.structHash("EpochHeader", header));
  return {
    digest: toHex(digest),
    signers: E.quorum(digest, fromHex(signatures), attesters, Number(threshold)),
  };
}

const validUntil = (time, maxAge, market) => N.min(BigInt(time) + BigInt(maxAge), market.nextExpiry);

function commitments({ header, market: bytes, modelHash, maxAge }) {
  const market = readMarket(fromHex(bytes));
  const actual = toHex(market.hash);
  if (header.modelHash !== modelHash) {
    N.refuse("WrongModel", { claimed: header.modelHash, current: modelHash });
  }
  if (header.marketHash !== actual) N.refuse("WrongMarketHash", { claimed: header.marketHash, actual });
  if (BigInt(header.time) !== market.time) {
    N.refuse("WrongMarketTime", { marketTime: market.time, headerTime: header.time });
  }
  const expected = validUntil(market.time, maxAge, market);
  if (BigInt(header.validUntil) !== expected) {
    N.refuse("WrongValidUntil", { validUntil: header.validUntil, expected });
  }
  return { validUntil: text(expected), structHash: toHex(E.structHash("EpochHeader", header)) };
}

function epoch(input) {
  const market = readMarket(fromHex(input.market));
  const shared = new Shared();
  const leaves = input.portfolios.map((portfolio, account) => {
    const figures = figuresText(shared.margin({ ...input, portfolio }));
    return {
      account: text(account),
      portfolioHash: toHex(keccak(fromHex(portfolio))),
      portfolioValue: figures.value,
      spotValue: figures.spotValue,
      initialMargin: figures.initialMargin,
      maintenanceMargin: figures.maintenanceMargin,
      worstScenarios: figures.worstScenarios,
    };
  });
  const hashes = leaves.map((leaf) => E.structHash("Leaf", leaf));
  const header = {
    round: input.round,
    time: text(market.time),
    blockNumber: input.blockNumber,
    blockHash: input.blockHash,
    validUntil: text(validUntil(market.time, input.maxAge, market)),
    modelHash: toHex(keccak(fromHex(input.model))),
    marketHash: toHex(market.hash),
    leafRoot: toHex(E.root(hashes)),
    leafCount: text(leaves.length),
  };
  const digest = E.digest(input, E.structHash("EpochHeader", header));
  return { leaves, leafHashes: hashes.map(toHex), header, digest: toHex(digest) };
}

const TOPICS = {
  ...ARITHMETIC_TOPICS,
  "model/codec": modelCodec,
  "scenario/value": value,
  "portfolio/codec": ({ bytes }) => ({
    positions: decimals(C.readPortfolio(fromHex(bytes))),
    hash: toHex(keccak(fromHex(bytes))),
  }),
  "portfolio/trade": trade,
  "portfolio/instrument": ({ registry, id }) => decimals(resolve(registry, BigInt(id))),
  "portfolio/margin": figuresOf,
  "tree/depth": ({ count }) => ({ depth: text(E.depth(BigInt(count))) }),
  "tree/root": ({ leaves }) => ({ root: toHex(E.root(leaves.map(fromHex))) }),
  "tree/proof": ({ leaves, index }) => ({ proof: E.proof(leaves.map(fromHex), BigInt(index)).map(toHex) }),
  "tree/verify": ({ leaf, index, count, proof, root }) => {
    E.verify(fromHex(leaf), BigInt(index), BigInt(count), proof.map(fromHex), fromHex(root));
    return { root };
  },
  "eip712/domain": (domain) => ({ separator: toHex(E.domainSeparator(domain)) }),
  "eip712/header": ({ header, ...domain }) => signed(domain, "EpochHeader", header),
  "eip712/leaf": (leaf) => ({ structHash: toHex(E.structHash("Leaf", leaf)) }),
  "eip712/order": ({ order, ...domain }) => signed(domain, "Order", order),
  "eip712/quorum": quorum,
  "epoch/market": ({ bytes }) => {
    const market = readMarket(fromHex(bytes));
    return { hash: toHex(market.hash), ...decimals(market) };
  },
  "epoch/abridged": ({ bytes }) => ({ hash: toHex(abridgedHash(fromHex(bytes))) }),
  "epoch/commitments": commitments,
  "epoch/whole": epoch,
  ...DISPUTE_TOPICS,
};

module.exports = { TOPICS };
