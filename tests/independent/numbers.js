"use strict";
// Integer arithmetic: named refusals, floors, roots, and every constant of the pricing recomputed from its definition at 400 bits.

class Refused extends Error {
  constructor(name, args) {
    super(name);
    this.refusal = name;
    this.args = Object.fromEntries(Object.entries(args).map(([key, value]) => [key, String(value)]));
  }
}

function refuse(name, args) {
  throw new Refused(name, args);
}

function inRange(field, value, low, high) {
  if (value < low || value > high) refuse("OutOfRange", { field, value, low, high });
}

function floorDiv(a, b) {
  if (b <= 0n) refuse("DivisionByZero", { denominator: b });
  return a < 0n ? -((-a + b - 1n) / b) : a / b;
}

function ceilDiv(a, b) {
  return -floorDiv(-a, b);
}

const max = (a, b) => (a > b ? a : b);
const min = (a, b) => (a < b ? a : b);
const abs = (a) => (a < 0n ? -a : a);

/** floor of the root, by Newton's method from a float just above it (from a power of two where a float would overflow). */
function sqrt(value) {
  if (value < 0n) refuse("NegativeRoot", { value });
  if (value < 2n) return value;
  const start = Number(value) < 1e300 ? BigInt(Math.ceil(Math.sqrt(Number(value)) * (1 + 2 ** -50))) : 0n;
  let guess = start || 1n << BigInt(2 * value.toString(16).length);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

const WAD = 10n ** 18n;

/** A decimal parameter as binary fixed point. */
const fromWad = (wad, bits = 64n) => floorDiv(wad << bits, WAD);

// ---- 400-bit constants. PRECISION leaves more than 300 bits after the worst cancellation (e^40 in the erf series).

const PRECISION = 400n;
const ONE = 1n << PRECISION;
const fixedMul = (a, b) => (a * b) >> PRECISION;

/** atanh(p/q) = sum (p/q)^(2i+1) / (2i+1) */
function atanh(p, q) {
  let power = (ONE * p) / q;
  let sum = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += power / i;
    power = (power * p * p) / (q * q);
  }
  return sum;
}

/** arctan(1/q) */
function arctanInverse(q) {
  let power = ONE / q;
  let sum = 0n;
  for (let i = 1n, sign = 1n; power !== 0n; i += 2n, sign = -sign) {
    sum += (sign * power) / i;
    power /= q * q;
  }
  return sum;
}

const PI = 4n * (4n * arctanInverse(5n) - arctanInverse(239n));
const LN_TWO = 2n * atanh(1n, 3n);
const SQRT_TWO_PI = sqrt(2n * PI * ONE);

/** ln 2 and ln(1 + j/8) floored to 96 bits; 1/(2i+1) likewise. */
const LN2 = LN_TWO >> (PRECISION - 96n);
const LN_EIGHTHS = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].map((j) => (2n * atanh(j, 16n + j)) >> (PRECISION - 96n));
const ODD_RECIPROCALS = Array.from({ length: 8 }, (_, i) => (1n << 96n) / BigInt(2 * i + 1));

/** exp(-v) for a 400-bit v >= 0, by halving the argument and squaring back. */
function expMinus(v) {
  const halvings = 10n;
  const r = v >> halvings;
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n; k++) {
    term = -(fixedMul(term, r) / k);
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = fixedMul(sum, sum);
  return sum;
}

const roundShift = (value, bits) => (value + (1n << (bits - 1n))) >> bits;

/**
 * Taylor coefficients of T(x) = N(-x) about x_j = (j + 1/2)/4, as round(2^62 T^(k)(x_j)/k!), k = 0..12, j = 0..35.
 * N(-x) = 1/2 - phi(x) (x + x^3/3 + x^5/(3 5) + ...), and the density's own Taylor coefficients follow from phi' = -x phi:
 * (n + 1) c_(n+1) = -(x c_n + c_(n-1)).
 */
function gaussianTable() {
  const rows = [];
  for (let j = 0n; j < 36n; j++) {
    const x = (ONE * (2n * j + 1n)) / 8n;
    const density = (expMinus(fixedMul(x, x) >> 1n) << PRECISION) / SQRT_TWO_PI;
    let term = x;
    let series = x;
    for (let i = 3n; term !== 0n; i += 2n) {
      term = fixedMul(fixedMul(term, x), x) / i;
      series += term;
    }
    const densityCoefficients = [density, -fixedMul(x, density)];
    for (let n = 1n; n < 11n; n++) {
      const [before, last] = densityCoefficients.slice(-2);
      densityCoefficients.push(-(fixedMul(x, last) + before) / (n + 1n));
    }
    const row = [ONE / 2n - fixedMul(density, series)];
    densityCoefficients.forEach((c, n) => row.push(-c / BigInt(n + 1)));
    rows.push(row.map((value) => roundShift(value, PRECISION - 62n)));
  }
  return rows;
}

module.exports = {
  Refused,
  refuse,
  inRange,
  floorDiv,
  ceilDiv,
  max,
  min,
  abs,
  sqrt,
  WAD,
  fromWad,
  LN2,
  LN_EIGHTHS,
  ODD_RECIPROCALS,
  gaussianTable,
};
