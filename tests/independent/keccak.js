"use strict";
// keccak-256 from FIPS 202's permutation with the original padding (0x01), on 32-bit halves.

const ROUNDS = 24;

// Rotation offsets: walk (x, y) -> (y, 2x + 3y) from (1, 0); the t-th lane met turns by (t+1)(t+2)/2.
const rotation = new Array(25).fill(0);
const target = new Array(25).fill(0);
for (let t = 0, x = 1, y = 0; t < 24; t++) {
  rotation[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
  [x, y] = [y, (2 * x + 3 * y) % 5];
}
for (let x = 0; x < 5; x++) for (let y = 0; y < 5; y++) target[x + 5 * y] = y + 5 * ((2 * x + 3 * y) % 5);

// Round constants: bit 2^j - 1 of round i is bit j + 7i of the shift register x^8 + x^6 + x^5 + x^4 + 1.
const constantLow = [];
const constantHigh = [];
for (let i = 0, register = 1; i < ROUNDS; i++) {
  let constant = 0n;
  for (let j = 0; j < 7; j++) {
    if (register & 1) constant |= 1n << BigInt(2 ** j - 1);
    register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
  }
  constantLow.push(Number(constant & 0xffffffffn));
  constantHigh.push(Number(constant >> 32n));
}

function permute(low, high) {
  const cl = new Int32Array(5);
  const ch = new Int32Array(5);
  const bl = new Int32Array(25);
  const bh = new Int32Array(25);
  for (let round = 0; round < ROUNDS; round++) {
    for (let x = 0; x < 5; x++) {
      cl[x] = low[x] ^ low[x + 5] ^ low[x + 10] ^ low[x + 15] ^ low[x + 20];
      ch[x] = high[x] ^ high[x + 5] ^ high[x + 10] ^ high[x + 15] ^ high[x + 20];
    }
    for (let x = 0; x < 5; x++) {
      const l = cl[(x + 1) % 5];
      const h = ch[(x + 1) % 5];
      const dl = cl[(x + 4) % 5] ^ ((l << 1) | (h >>> 31));
      const dh = ch[(x + 4) % 5] ^ ((h << 1) | (l >>> 31));
      for (let i = x; i < 25; i += 5) {
        low[i] ^= dl;
        high[i] ^= dh;
      }
    }
    for (let i = 0; i < 25; i++) {
      const n = rotation[i] % 32;
      let l = low[i];
      let h = high[i];
      if (rotation[i] >= 32) [l, h] = [h, l];
      bl[target[i]] = n ? (l << n) | (h >>> (32 - n)) : l;
      bh[target[i]] = n ? (h << n) | (l >>> (32 - n)) : h;
    }
    for (let y = 0; y < 25; y += 5) {
      for (let x = 0; x < 5; x++) {
        low[y + x] = bl[y + x] ^ (~bl[y + ((x + 1) % 5)] & bl[y + ((x + 2) % 5)]);
        high[y + x] = bh[y + x] ^ (~bh[y + ((x + 1) % 5)] & bh[y + ((x + 2) % 5)]);
      }
    }
    low[0] ^= constantLow[round];
    high[0] ^= constantHigh[round];
  }
}

const RATE = 136;

/** keccak-256 of a Buffer, as a Buffer of 32 bytes. */
function keccak(data) {
  const padded = Buffer.alloc((Math.floor(data.length / RATE) + 1) * RATE);
  data.copy(padded);
  padded[data.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const low = new Int32Array(25);
  const high = new Int32Array(25);
  for (let start = 0; start < padded.length; start += RATE) {
    for (let i = 0; i < RATE / 8; i++) {
      low[i] ^= padded.readInt32LE(start + 8 * i);
      high[i] ^= padded.readInt32LE(start + 8 * i + 4);
    }
    permute(low, high);
  }
  const out = Buffer.alloc(32);
  for (let i = 0; i < 4; i++) {
    out.writeInt32LE(low[i], 8 * i);
    out.writeInt32LE(high[i], 8 * i + 4);
  }
  return out;
}

module.exports = { keccak };
