"use strict";
// The market snapshot's bytes: read, refuse, hash.

const { refuse, inRange, WAD } = require("./numbers.js");
const { checkSmile } = require("./pricing.js");
const { Cursor, increasing } = require("./codecs.js");
const { keccak } = require("./keccak.js");

const MAX_TIME = 2n ** 32n - 1n;
const HEADER_BYTES = 17;

function readQuote(cursor) {
  const quote = {
    expiry: cursor.u32(),
    forward: cursor.u64(),
    rate: cursor.i64(),
    confidence: cursor.u64(),
    svi: {},
  };
  for (const name of ["a", "b", "rho", "m", "sigma"]) quote.svi[name] = cursor.i64();
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
    expiries: cursor.many(() => readQuote(cursor)),
  };
  Object.defineProperty(section, "bytes", { value: cursor.data.subarray(start, cursor.at) });
  return section;
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
    get: () =>
      keccak(
        Buffer.concat([
          data.subarray(0, HEADER_BYTES),
          ...market.underlyings.map((section) => keccak(section.bytes)),
        ]),
      ),
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

module.exports = { readMarket, quotesOf };
