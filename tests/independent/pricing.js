"use strict";
// Logarithm, exponential, normal distribution, Black-76, SVI: from the formulas, on BigInt.

const N = require("./numbers.js");
const { floorDiv, max, min, abs, sqrt, inRange, refuse } = N;

const WAD = 10n ** 18n;
const TOTAL_VOL_CAP = 16n << 58n;
const TABLE = N.gaussianTable();

const bitLength = (x) => BigInt(x.toString(2).length);
const fromWad = (wad) => floorDiv(wad << 64n, WAD);

/** ln x, Q64: x = 2^n z; ln z = ln c + 2 atanh((z - c)/(z + c)), c the eighth below z. */
function ln(x) {
  inRange("logarithm", x, 1n, (1n << 64n) - 1n);
  const n = bitLength(x) - 1n;
  const z = x << (63n - n);
  const j = (z >> 60n) - 8n;
  const c = (j + 8n) << 60n;
  const s = ((z - c) << 96n) / (z + c);
  const square = (s * s) >> 96n;
  const series = N.ODD_RECIPROCALS.reduceRight((sum, r) => r + ((sum * square) >> 96n), 0n);
  return (n * N.LN2 + N.LN_EIGHTHS[Number(j)] + 2n * ((s * series) >> 96n)) >> 32n;
}

/** e^x, Q64: x = n ln 2 + r, then twenty terms of the series for e^r. */
function exp(x) {
  inRange("exponential", x, -(40n << 64n), 40n << 64n);
  const wide = x << 32n;
  const n = floorDiv(wide, N.LN2);
  const r = wide - n * N.LN2;
  const one = 1n << 96n;
  let series = one;
  for (let k = 20n; k >= 1n; k--) series = one + ((series * r) >> 96n) / k;
  return n >= 0n ? (series << n) >> 32n : series >> (32n - n);
}

/** N(-x) for x >= 0: Q58 in, Q60 out. */
function tail(x) {
  const j = x >> 56n;
  if (j >= 36n) return 0n;
  const u = x - (j << 56n) - (1n << 55n);
  const row = TABLE[Number(j)];
  let sum = row[12];
  for (let k = 11; k >= 0; k--) sum = row[k] + ((sum * u) >> 58n);
  return max(0n, sum >> 2n);
}

const cdf = (x) => (x < 0n ? tail(-x) : (1n << 60n) - tail(x));

/** Undiscounted Black-76 value, E8; logarithms Q64, total volatility Q58. */
function optionValue(isCall, forward, strike, lnForward, lnStrike, vol) {
  const y = abs(lnForward - lnStrike) >> 6n;
  const near = min(forward, strike);
  const far = max(forward, strike);
  let value = 0n;
  if (vol > 0n) {
    const a = (vol >> 1n) - (y << 58n) / vol;
    value = max(0n, (near * cdf(a) - far * cdf(a - vol)) >> 60n);
  }
  return value + max(0n, isCall ? forward - strike : strike - forward);
}

const price = (isCall, forward, strike, vol) => optionValue(isCall, forward, strike, ln(forward), ln(strike), vol);

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

/** Total volatility at a strike, Q58. */
function totalVol(smile, lnForward, lnStrike) {
  const [a, b, rho, m, sigma] = [smile.a, smile.b, smile.rho, smile.m, smile.sigma].map(fromWad);
  const d = lnStrike - lnForward - m;
  const variance = a + ((b * (((rho * d) >> 64n) + sqrt(d * d + sigma * sigma))) >> 64n);
  return min(TOTAL_VOL_CAP, sqrt(max(0n, variance) << 52n));
}

module.exports = { WAD, TOTAL_VOL_CAP, fromWad, ln, exp, cdf, price, optionValue, checkSmile, totalVol };
