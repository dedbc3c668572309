"use strict";
// Canonical bytes of portfolios, models and markets: read, refuse, hash.

const { refuse, inRange } = require("./numbers.js");
const { checkSmile, WAD } = require("./pricing.js");
const { keccak } = require("./keccak.js");

const fromHex = (text) => Buffer.from(text.slice(2), "hex");
const toHex = (data) => "0x" + data.toString("hex");

const MAX_TIME = 2n ** 32n - 1n;
const MAX_QUANTITY = 10n ** 16n;
const MAX_POSITIONS = 128;

/** Positions [{id, quantity}] behind packed bytes. */
function readPortfolio(data) {
  if (data.length % 12 !== 0) refuse("BadPortfolioLength", { length: data.length });
  if (data.length / 12 > MAX_POSITIONS) refuse("TooManyPositions", { count: data.length / 12, max: MAX_POSITIONS });
  const positions = [];
  let previous = 0n;
  for (let at = 0; at < data.length; at += 12) {
    const id = BigInt(data.readUInt32BE(at));
    const quantity = data.readBigInt64BE(at + 4);
    if (id <= previous) refuse("PositionsNotSorted", { previous, id });
    if (quantity === 0n) refuse("ZeroQuantity", { id });
    if (quantity > MAX_QUANTITY || quantity < -MAX_QUANTITY) refuse("QuantityOutOfRange", { id, quantity });
    positions.push({ id, quantity });
    previous = id;
  }
  return positions;
}

function writePortfolio(positions) {
  const data = Buffer.alloc(12 * positions.length);
  positions.forEach(({ id, quantity }, i) => {
    data.writeUInt32BE(Number(id), 12 * i);
    data.writeBigInt64BE(quantity, 12 * i + 4);
  });
  return data;
}

class Cursor {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }
  skip(size) {
    const start = this.at;
    if (start + size > this.data.length) refuse("BadLength", { length: this.data.length });
    this.at += size;
    return start;
  }
  u8() {
    return BigInt(this.data.readUInt8(this.skip(1)));
  }
  u32() {
    return BigInt(this.data.readUInt32BE(this.skip(4)));
  }
  u64() {
    return this.data.readBigUInt64BE(this.skip(8));
  }
  i64() {
    return this.data.readBigInt64BE(this.skip(8));
  }
  many(read) {
    return Array.from({ length: Number(this.u8()) }, read);
  }
  end() {
    if (this.at !== this.data.length) refuse("BadLength", { length: this.data.length });
  }
}

function increasing(values) {
  values.forEach((value, i) => {
    if (i > 0 && value <= values[i - 1]) refuse("NotIncreasing", { previous: values[i - 1], value });
  });
}

const KNOWN_VOL_KINDS = 2n;

function readModel(data) {
  const cursor = new Cursor(data);
  const version = cursor.u8();
  if (version !== 1n) refuse("BadVersion", { version });
  const sections = cursor.many(() => {
    const section = { underlying: cursor.u8() };
    for (const name of ["initialFactor", "maintenanceFactor", "volUp", "volDown", "minVolUp", "powerShort", "powerLong"]) {
      section[name] = cursor.u64();
    }
    section.floorSeconds = cursor.u32();
    section.scenarios = cursor.many(() => {
      const scenario = { spot: cursor.u64(), volKind: cursor.u8(), weight: cursor.u64() };
      inRange("volKind", scenario.volKind, 0n, KNOWN_VOL_KINDS);
      return scenario;
    });
    return section;
  });
  cursor.end();
  checkModel(sections);
  return sections;
}

function checkModel(sections) {
  inRange("sections", sections.length, 1, 8);
  sections.forEach((section, i) => {
    inRange("underlying", section.underlying, 1n, 63n);
    if (i > 0) increasing([sections[i - 1].underlying, section.underlying]);
    inRange("initialFactor", section.initialFactor, 0n, 10n * WAD);
    inRange("maintenanceFactor", section.maintenanceFactor, 0n, section.initialFactor);
    inRange("volUp", section.volUp, 0n, 4n * WAD);
    inRange("volDown", section.volDown, 0n, WAD);
    inRange("minVolUp", section.minVolUp, 0n, 8n * WAD);
    inRange("powerShort", section.powerShort, 0n, WAD);
    inRange("powerLong", section.powerLong, 0n, WAD);
    inRange("floorSeconds", section.floorSeconds, 1n, 30n * 86400n);
    inRange("scenarios", section.scenarios.length, 1, 128);
    for (const { spot, weight } of section.scenarios) {
      inRange("spotShock", spot, WAD / 100n, 16n * WAD);
      inRange("weight", weight, 0n, WAD);
    }
  });
}

function readSection(cursor) {
  const start = cursor.at;
  const section = { underlying: cursor.u8(), spot: cursor.u64(), confidence: cursor.u64(), funding: cursor.i64() };
  section.settlements = cursor.many(() => ({ expiry: cursor.u32(), price: cursor.u64() }));
  section.expiries = cursor.many(() => {
    const quote = { expiry: cursor.u32(), forward: cursor.u64(), rate: cursor.i64(), svi: {} };
    for (const name of ["a", "b", "rho", "m", "sigma"]) quote.svi[name] = cursor.i64();
    return quote;
  });
  Object.defineProperty(section, "bytes", { value: cursor.data.subarray(start, cursor.at) });
  return section;
}

function checkSection(section, time) {
  inRange("underlying", section.underlying, 1n, 63n);
  inRange("spot", section.spot, 10n ** 6n, 10n ** 14n);
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
  for (const { expiry, forward, rate, svi } of section.expiries) {
    inRange("expiry", expiry, time + 1n, MAX_TIME);
    inRange("forward", forward, 10n ** 6n, 10n ** 14n);
    inRange("rate", rate, 0n, 0n);
    checkSmile(svi);
  }
}

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
  const sections = market.underlyings.map((section) => keccak(section.bytes));
  Object.defineProperty(market, "hash", { value: keccak(Buffer.concat([data.subarray(0, 17), ...sections])) });
  return market;
}

module.exports = { fromHex, toHex, readPortfolio, writePortfolio, readModel, readMarket };
