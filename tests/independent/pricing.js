"use strict";
// Logarithm, exponential, normal distribution, smile, Black-76: from the formulas, on BigInt.

const N = require("./numbers.js");
const { max, min, abs, sqrt, inRange, refuse, WAD, fromWad } = N;

const ONE_Q58 = 1n << 58n;
const ONE_Q60 = 1n << 60n;
const CAP = 16n << 58n;
const TABLE = N.gaussianTable();

/** Index of the highest bit of an integer in [1, 2^64). */
function highestBit(x) {
  const high = Number(x >> 32n);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(Number(x));
}

/** ln x, Q64: x = 2^n z; ln z = ln c + 2 atanh((z - c)/(z + c)), c the eighth below z. */
function ln(x) {
  inRange("logarithm", x, 1n, (1n << 64n) - 1n);
  const n = highestBit(x);
  const z = x << BigInt(63 - n);
  const j = Number(z >> 60n) - 8;
  const c = BigInt(j + 8) << 60n;
  const s = ((z - c) << 96n) / (z + c);
  const square = (s * s) >> 96n;
  let series = 0n;
  for (let i = 7; i >= 0; i--) series = N.ODD_RECIPROCALS[i] + ((series * square) >> 96n);
  return (BigInt(n) * N.LN2 + N.LN_EIGHTHS[j] + 2n * ((s * series) >> 96n)) >> 32n;
}

/** e^x, Q64: x = n ln 2 + r, then twenty terms of the series for e^r. */
function exp(x) {
  inRange("exponential", x, -(40n << 64n), 40n << 64n);
  const wide = x << 32n;
  const n = N.floorDiv(wide, N.LN2);
  const r = wide - n * N.LN2;
  const one = 1n << 96n;
  let series = one;
  for (let k = 20n; k >= 1n; k--) series = one + ((series * r) >> 96n) / k;
  return n >= 0n ? (series << n) >> 32n : series >> (32n - n);
}

/** e^x for every x: beyond 40 and below -40 it stays there. */
const boundedExp = (x) => exp(max(-(40n << 64n), min(40n << 64n, x)));

/** ratio^exponent from ln ratio and the exponent, all Q64. */
const power = (lnRatio, exponent) => boundedExp((lnRatio * exponent) >> 64n);

/** N(-x) for x >= 0: Q58 in, Q60 out. */
function tail(x) {
  const cell = x >> 56n;
  if (cell >= 36n) return 0n;
  const row = TABLE[Number(cell)];
  const u = x - (cell << 56n) - (1n << 55n);
  let sum = row[12];
  for (let k = 11; k >= 0; k--) sum = row[k] + ((sum * u) >> 58n);
  return max(0n, sum >> 2n);
}

const cdf = (x) => (x < 0n ? tail(-x) : ONE_Q60 - tail(x));

/**
 * Call and put (E8) and the call's delta (Q60). Logarithms Q64; total volatility and discount factor Q58.
 *
 * With y = |ln(F/K)| in units of w, the dearer of forward and strike is weighed with N(w/2 - y - w), the cheaper with N(w/2 - y): that is
 * the out-of-the-money side. The other side is it plus the discounted difference, to the nearest unit.
 */
function option(forward, strike, lnForward, lnStrike, vol, discount) {
  const isCallOut = forward <= strike;
  const [near, far] = isCallOut ? [forward, strike] : [strike, forward];
  const y = abs(lnForward - lnStrike) >> 6n;
  let value = 0n;
  let nearProbability = y === 0n ? ONE_Q60 / 2n : 0n;
  let farProbability = nearProbability;
  if (vol > 0n) {
    const a = (vol >> 1n) - (y << 58n) / vol;
    nearProbability = cdf(a);
    farProbability = cdf(a - vol);
    const difference =
      ((near * discount) >> 50n) * nearProbability - ((far * discount) >> 50n) * farProbability;
    value = max(0n, difference >> 68n);
  }
  const other = value + (((far - near) * discount + (1n << 57n)) >> 58n);
  const exercised = isCallOut ? nearProbability : ONE_Q60 - farProbability;
  return {
    call: isCallOut ? value : other,
    put: forward < strike ? other : value,
    callDelta: (exercised * discount) >> 58n,
  };
}

/** A put's delta is the call's less the discount factor, Q60. */
const putDelta = (callDelta, discount) => callDelta - 4n * discount;

/** Refuse a smile out of range or with a negative least variance. All five in WAD. */
function checkSmile({ a, b, rho, m, sigma }) {
  inRange("a", a, -4n * WAD, 9n * WAD);
  inRange("b", b, 0n, 2n * WAD);
  inRange("rho", rho, -(WAD * 9999n) / 10000n, (WAD * 9999n) / 10000n);
  inRange("m", m, -4n * WAD, 4n * WAD);
  inRange("sigma", sigma, WAD / 1000000n, 4n * WAD);
  const least = a + (b * sigma * sqrt(WAD * WAD - rho * rho)) / (WAD * WAD);
  if (least < 0n) refuse("NegativeVariance", { minimumVariance: least });
}

/** The smile in binary: a Q64, b and rho Q60, m and sigma Q58. */
const binarySmile = ({ a, b, rho, m, sigma }) => ({
  a: fromWad(a, 64n),
  b: fromWad(b, 60n),
  rho: fromWad(rho, 60n),
  m: fromWad(m, 58n),
  sigma: fromWad(sigma, 58n),
});

/** Total volatility at a strike from a binary smile, Q58. */
function totalVol({ a, b, rho, m, sigma }, lnForward, lnStrike) {
  const d = ((lnStrike - lnForward) >> 6n) - m;
  const wings = ((rho * d) >> 60n) + sqrt(d * d + sigma * sigma);
  return min(CAP, sqrt(max(0n, a + ((b * wings) >> 54n)) << 52n));
}

module.exports = {
  ONE_Q58,
  ONE_Q60,
  CAP,
  ln,
  exp,
  boundedExp,
  power,
  tail,
  cdf,
  option,
  putDelta,
  checkSmile,
  binarySmile,
  totalVol,
};
