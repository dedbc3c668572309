"use strict";
// The market snapshot's bytes: read, refuse, hash.

const { refuse, inRange, WAD } = require("./numbers.js");
const { checkSmile } = require("./pricing.js");
const { Cursor, increasing } = require("./codecs.js");
const { keccak } = require("./keccak.js");

const MAX_TIME = 2n ** 32n - 1n;
const HEADER_BYTES = 17;
const SECTION_BYTES = 33;
const SETTLEMENT_BYTES = 12;
const QUOTE_BYTES = 68;

const MARKED_PAIR = 0n;
const MARKED_GROUP = 1n;

const hashOf = (parts) => keccak(Buffer.concat(parts));

/** The hash of up to four quotes: a list of pairs, each its bytes or, where it is left out, its hash. */
const groupHash = (pairs) => hashOf(pairs.map(({ hash, bytes }) => hash ?? keccak(bytes)));

/** Runs of a size out of a list; the last has what is left. */
const runs = (list, size) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

function readQuote(cursor) {
  const start = cursor.at;
  const quote = {
    expiry: cursor.u32(),
    forward: cursor.u64(),
    rate: cursor.i64(),
    confidence: cursor.u64(),
    svi: {},
  };
  for (const name of ["a", "b", "rho", "m", "sigma"]) quote.svi[name] = cursor.i64();
  Object.defineProperty(quote, "bytes", { value: cursor.data.subarray(start, cursor.at) });
  return quote;
}

function readSection(cursor) {
  const start = cursor.at;
  const section = {
    underlying: cursor.u8(),
    spot: cursor.u64(),
    perpetual: cursor.u64(),
    confidence: cursor.u64(),
    funding: cursor.i64(),
    settlements: cursor.many(() => ({ expiry: cursor.u32(), price: cursor.u64() })),
  };
  const head = cursor.data.subarray(start, cursor.at + 1);
  section.expiries = cursor.many(() => readQuote(cursor));
  const hash = () => {
    const pairs = runs(section.expiries, 2).map((pair) => ({
      bytes: Buffer.concat(pair.map((q) => q.bytes)),
    }));
    return hashOf([head, ...runs(pairs, 2).map(groupHash)]);
  };
  Object.defineProperty(section, "hash", { get: hash });
  return section;
}

/** The hash behind a mark. */
function marked(cursor, size) {
  cursor.skip(size);
  return cursor.bytes(32);
}

/** The hash of a group of so many quotes out of bytes that may leave it, or one of its pairs, out. */
function abridgedGroup(cursor, quotes) {
  if (cursor.peek(4) === MARKED_GROUP) return marked(cursor, 4);
  const pairs = [];
  for (let left = quotes; left > 0; left -= 2) {
    if (cursor.peek(4) === MARKED_PAIR) pairs.push({ hash: marked(cursor, 4) });
    else pairs.push({ bytes: cursor.bytes(QUOTE_BYTES * Math.min(2, left)) });
  }
  return groupHash(pairs);
}

function abridgedSection(cursor) {
  if (cursor.peek(1) === 0n) return marked(cursor, 1);
  const start = cursor.at;
  cursor.bytes(SECTION_BYTES);
  cursor.many(() => cursor.bytes(SETTLEMENT_BYTES));
  const count = Number(cursor.u8());
  const head = cursor.data.subarray(start, cursor.at);
  const groups = [];
  for (let left = count; left > 0; left -= 4) groups.push(abridgedGroup(cursor, Math.min(4, left)));
  return hashOf([head, ...groups]);
}

/** The market hash of bytes that may be abridged; nothing else of them is checked. */
function abridgedHash(data) {
  const cursor = new Cursor(data);
  cursor.bytes(HEADER_BYTES - 1);
  const hashes = cursor.many(() => abridgedSection(cursor));
  cursor.end();
  return hashOf([data.subarray(0, HEADER_BYTES), ...hashes]);
}

const inPriceRange = (field, price) => inRange(field, price, 10n ** 6n, 10n ** 14n);

function checkSection(section, time) {
  inRange("underlying", section.underlying, 1n, 63n);
  inPriceRange("spot", section.spot);
  inPriceRange("perpetual", section.perpetual);
  inRange("confidence", section.confidence, 0n, WAD);
  inRange("funding", section.funding, -(10n ** 14n), 10n ** 14n);
  inRange("settlements", section.settlements.length, 0, 32);
  increasing(section.settlements.map((settlement) => settlement.expiry));
  for (const { expiry, price } of section.settlements) {
    inRange("settledExpiry", expiry, 1n, time);
    inRange("settlementPrice", price, 1n, 10n ** 16n);
  }
  inRange("expiries", section.expiries.length, 0, 32);
  increasing(section.expiries.map((quote) => quote.expiry));
  for (const { expiry, forward, rate, confidence, svi } of section.expiries) {
    inRange("expiry", expiry, time + 1n, MAX_TIME);
    inPriceRange("forward", forward);
    inRange("rate", rate, -9n * WAD, 2n * WAD);
    inRange("expiryConfidence", confidence, 0n, WAD);
    checkSmile(svi);
  }
}

/** The snapshot behind bytes, with its earliest live expiry and its hash. */
function readMarket(data) {
  const cursor = new Cursor(data);
  const market = { time: cursor.u64(), settlementToken: cursor.u64() };
  market.underlyings = cursor.many(() => readSection(cursor));
  cursor.end();
  inRange("time", market.time, 1n, MAX_TIME - 1n);
  inRange("settlementToken", market.settlementToken, 1n, 10n ** 9n);
  inRange("underlyings", market.underlyings.length, 1, 8);
  increasing(market.underlyings.map((section) => section.underlying));
  for (const section of market.underlyings) checkSection(section, market.time);
  const expiries = market.underlyings.flatMap((section) => section.expiries.map((quote) => quote.expiry));
  market.nextExpiry = expiries.reduce((least, expiry) => (expiry < least ? expiry : least), MAX_TIME);
  Object.defineProperty(market, "hash", {
    get: () => hashOf([data.subarray(0, HEADER_BYTES), ...market.underlyings.map((section) => section.hash)]),
  });
  return market;
}

/** The section of an underlying. */
function quotesOf(market, underlying) {
  return (
    market.underlyings.find((section) => section.underlying === underlying) ??
    refuse("MissingUnderlying", { underlying })
  );
}

module.exports = { readMarket, quotesOf, abridgedHash };
