"use strict";
// Hexadecimal text, big-endian fields, portfolios.

const { refuse } = require("./numbers.js");

const fromHex = (text) => Buffer.from(text.slice(2), "hex");
const toHex = (data) => "0x" + data.toString("hex");

const MAX_QUANTITY = 10n ** 16n;
const MAX_POSITIONS = 128;
const POSITION_BYTES = 12;

/** Refuse positions [{id, quantity}] that have no encoding. */
function checkPositions(positions) {
  const count = positions.length;
  if (count > MAX_POSITIONS) refuse("TooManyPositions", { count, max: MAX_POSITIONS });
  let previous = 0n;
  for (const { id, quantity } of positions) {
    if (id <= previous) refuse("PositionsNotSorted", { previous, id });
    if (quantity === 0n) refuse("ZeroQuantity", { id });
    if (quantity > MAX_QUANTITY || quantity < -MAX_QUANTITY) refuse("QuantityOutOfRange", { id, quantity });
    previous = id;
  }
  return positions;
}

/** Positions [{id, quantity}] behind packed bytes. */
function readPortfolio(data) {
  if (data.length % POSITION_BYTES !== 0) refuse("BadPortfolioLength", { length: data.length });
  const positions = Array.from({ length: data.length / POSITION_BYTES }, (_, i) => ({
    id: BigInt(data.readUInt32BE(POSITION_BYTES * i)),
    quantity: data.readBigInt64BE(POSITION_BYTES * i + 4),
  }));
  return checkPositions(positions);
}

function writePortfolio(positions) {
  const data = Buffer.alloc(POSITION_BYTES * positions.length);
  positions.forEach(({ id, quantity }, i) => {
    data.writeUInt32BE(Number(id), POSITION_BYTES * i);
    data.writeBigInt64BE(quantity, POSITION_BYTES * i + 4);
  });
  return data;
}

/** Takes fields from the front of bytes. */
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
  bytes(size) {
    const start = this.skip(size);
    return this.data.subarray(start, this.at);
  }
  /** The next unsigned integer, which stays to be read. */
  peek(size) {
    const value = this.data.readUIntBE(this.skip(size), size);
    this.at -= size;
    return BigInt(value);
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
  i128() {
    const start = this.skip(16);
    return (this.data.readBigInt64BE(start) << 64n) + this.data.readBigUInt64BE(start + 8);
  }
  many(read) {
    return Array.from({ length: Number(this.u8()) }, read);
  }
  end() {
    if (this.at !== this.data.length) refuse("BadLength", { length: this.data.length });
  }
}

/** Refuse values that do not strictly increase. */
function increasing(values) {
  values.forEach((value, i) => {
    if (i > 0 && value <= values[i - 1]) refuse("NotIncreasing", { previous: values[i - 1], value });
  });
}

module.exports = { fromHex, toHex, checkPositions, readPortfolio, writePortfolio, Cursor, increasing };
