"use strict";
// One function per topic: a case's input to its expected value, or a refusal.

const N = require("./numbers.js");
const P = require("./pricing.js");
const C = require("./codecs.js");
const M = require("./margin.js");
const T = require("./commitments.js");
const { keccak } = require("./keccak.js");

const { fromHex, toHex } = C;
const text = (value) => value.toString();

/** The same structure with every BigInt as a decimal string. */
const decimals = (value) => JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? text(item) : item)));

/** The same fields as BigInts. */
const integers = (record) => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, BigInt(value)]));

function smileParameters(input) {
  const svi = integers(input);
  P.checkSmile(svi);
  return Object.fromEntries(Object.entries(svi).map(([name, value]) => [`${name}Q64`, text(P.fromWad(value))]));
}

function smileVol({ svi, forward, strike }) {
  P.checkSmile(integers(svi));
  return { totalVol: text(P.totalVol(integers(svi), P.ln(BigInt(forward)), P.ln(BigInt(strike)))) };
}

function volRule({ kind, seconds, ...parameters }) {
  return decimals(M.volRule(integers(parameters), M.VOL_KIND[kind], BigInt(seconds)));
}

function value(input) {
  const model = C.readModel(fromHex(input.model));
  const market = C.readMarket(fromHex(input.market));
  const { underlying, expiry, strike } = integers({ underlying: input.underlying, expiry: input.expiry, strike: input.strike });
  const section = M.sectionOf(model, underlying);
  const scenario = input.scenario === "now" ? null : section.scenarios[Number(input.scenario)];
  return { value: text(M.valueOf({ underlying, kind: input.kind, expiry, strike }, market, section, scenario)) };
}

function trade({ portfolio, id, quantity }) {
  const book = new Map(C.readPortfolio(fromHex(portfolio)).map((position) => [position.id, position.quantity]));
  const after = (book.get(BigInt(id)) ?? 0n) + BigInt(quantity);
  if (after === 0n) book.delete(BigInt(id));
  else book.set(BigInt(id), after);
  const ids = [...book.keys()].sort((a, b) => (a < b ? -1 : 1));
  const data = C.writePortfolio(ids.map((key) => ({ id: key, quantity: book.get(key) })));
  C.readPortfolio(data);
  return { portfolio: toHex(data) };
}

const signed = (domain, name, values) => {
  const hash = T.structHash(name, values);
  return { structHash: toHex(hash), digest: toHex(T.digest(domain, hash)) };
};

function quorum({ header, attesters, threshold, signatures, ...domain }) {
  const digest = T.digest(domain, T.structHash("EpochHeader", header));
  return { digest: toHex(digest), signers: T.quorum(digest, fromHex(signatures), attesters, Number(threshold)) };
}

const validUntil = (time, maxAge, market) => N.min(BigInt(time) + BigInt(maxAge), market.nextExpiry);

function commitments({ header, market: bytes, modelHash, maxAge }) {
  const market = C.readMarket(fromHex(bytes));
  const actual = toHex(market.hash);
  if (header.modelHash !== modelHash) N.refuse("WrongModel", { claimed: header.modelHash, current: modelHash });
  if (header.marketHash !== actual) N.refuse("WrongMarketHash", { claimed: header.marketHash, actual });
  if (BigInt(header.time) !== market.time) N.refuse("WrongMarketTime", { marketTime: market.time, headerTime: header.time });
  const expected = validUntil(market.time, maxAge, market);
  if (BigInt(header.validUntil) !== expected) N.refuse("WrongValidUntil", { validUntil: header.validUntil, expected });
  return { validUntil: text(expected), structHash: toHex(T.structHash("EpochHeader", header)) };
}

function epoch(input) {
  const market = C.readMarket(fromHex(input.market));
  const leaves = input.portfolios.map((portfolio, account) => {
    const figures = M.figures({ ...input, portfolio });
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
  const hashes = leaves.map((leaf) => T.structHash("Leaf", leaf));
  const header = {
    round: input.round,
    time: text(market.time),
    blockNumber: input.blockNumber,
    blockHash: input.blockHash,
    validUntil: text(validUntil(market.time, input.maxAge, market)),
    modelHash: toHex(keccak(fromHex(input.model))),
    marketHash: toHex(market.hash),
    leafRoot: toHex(T.root(hashes)),
    leafCount: text(leaves.length),
  };
  const digest = T.digest(input, T.structHash("EpochHeader", header));
  return { leaves, leafHashes: hashes.map(toHex), header, digest: toHex(digest) };
}

const TOPICS = {
  "fixed-point/division": ({ rounding, numerator, denominator }) => ({
    quotient: text((rounding === "down" ? N.floorDiv : N.ceilDiv)(BigInt(numerator), BigInt(denominator))),
  }),
  "fixed-point/shift": ({ a, b, bits }) => ({ product: text((BigInt(a) * BigInt(b)) >> BigInt(bits)) }),
  "fixed-point/square-root": (input) => ({ root: text(N.sqrt(BigInt(input.value))) }),
  "fixed-point/wad-to-q64": ({ wad }) => ({ q64: text(P.fromWad(BigInt(wad))) }),
  "fixed-point/logarithm": ({ x }) => ({ logarithm: text(P.ln(BigInt(x))) }),
  "fixed-point/exponential": ({ x }) => ({ exponential: text(P.exp(BigInt(x))) }),
  "pricing/gaussian": ({ x }) => ({ probability: text(P.cdf(BigInt(x))) }),
  "pricing/black76": ({ isCall, forward, strike, totalVol }) => ({
    value: text(P.price(isCall, BigInt(forward), BigInt(strike), BigInt(totalVol))),
  }),
  "smile/parameters": smileParameters,
  "smile/total-vol": smileVol,
  "model/codec": ({ bytes }) => ({
    sections: decimals(C.readModel(fromHex(bytes))),
    hash: toHex(keccak(fromHex(bytes))),
  }),
  "scenario/vol-rule": volRule,
  "scenario/value": value,
  "portfolio/codec": ({ bytes }) => ({
    positions: decimals(C.readPortfolio(fromHex(bytes))),
    hash: toHex(keccak(fromHex(bytes))),
  }),
  "portfolio/trade": trade,
  "portfolio/instrument": ({ registry, id }) => decimals(M.resolve(registry, BigInt(id))),
  "portfolio/margin": M.figures,
  "tree/depth": ({ count }) => ({ depth: text(T.depth(BigInt(count))) }),
  "tree/root": ({ leaves }) => ({ root: toHex(T.root(leaves.map(fromHex))) }),
  "tree/proof": ({ leaves, index }) => ({ proof: T.proof(leaves.map(fromHex), BigInt(index)).map(toHex) }),
  "tree/verify": ({ leaf, index, count, proof, root }) => {
    T.verify(fromHex(leaf), BigInt(index), BigInt(count), proof.map(fromHex), fromHex(root));
    return { root };
  },
  "eip712/domain": (domain) => ({ separator: toHex(T.domainSeparator(domain)) }),
  "eip712/header": ({ header, ...domain }) => signed(domain, "EpochHeader", header),
  "eip712/leaf": (leaf) => ({ structHash: toHex(T.structHash("Leaf", leaf)) }),
  "eip712/order": ({ order, ...domain }) => signed(domain, "Order", order),
  "eip712/quorum": quorum,
  "epoch/market": ({ bytes }) => {
    const market = C.readMarket(fromHex(bytes));
    return { hash: toHex(market.hash), ...decimals(market) };
  },
  "epoch/commitments": commitments,
  "epoch/whole": epoch,
};

module.exports = { TOPICS, marginOf: M.figures };
