"use strict";
// What an expiry's time and rate make of a model section: scaling of volatility moves, discounts, basis factor, fixed part, skews.

const { max, min, sqrt, WAD, fromWad } = require("./numbers.js");
const { ONE_Q58, CAP, ln, boundedExp, power } = require("./pricing.js");

const MONTH = 30n * 86400n;
const YEAR = 365n * 86400n;
const ONE_Q64 = 1n << 64n;
const KIND = { none: 0n, up: 1n, down: 2n, add: 3n, linear_skew: 4n, absolute_skew: 5n };

const times = (a, b) => (a * b) >> 64n;
const within = (value, limit) => max(-limit, min(limit, value));

/** tau and its root, Q64. */
const years = (seconds) => (seconds << 64n) / YEAR;
const rootOfYears = (seconds) => sqrt((seconds << 128n) / YEAR);

/** m = (30 days / max(t, floor))^p, Q64. */
function tenorMultiplier(section, seconds) {
  const p = seconds > MONTH ? section.powerLong : section.powerShort;
  return power(ln(MONTH) - ln(max(seconds, section.floorSeconds)), fromWad(p));
}

/** (max(rate, 0) * multiple + add) * tau, Q64. */
function rateTime(rate, seconds, multiple = WAD, add = 0n) {
  return times(times(fromWad(max(rate, 0n)), fromWad(multiple)) + fromWad(add), years(seconds));
}

/** exp(-r tau), Q58. */
const discountFactor = (rate, seconds) => boundedExp(-rateTime(rate, seconds)) >> 6n;

/** What multiplies an expiry's sum of options: {long} if it is at least zero, {short} if it is below. Q58. */
function staticDiscounts(section, rate, seconds) {
  const decay = boundedExp(-rateTime(rate, seconds, section.longRateMultiple, section.longRateAdd));
  const growth = boundedExp(rateTime(rate, seconds, section.shortRateMultiple, section.shortRateAdd));
  const undiscounted = boundedExp(rateTime(rate, seconds)) >> 6n;
  return {
    long: min(CAP, times(fromWad(section.longBase), decay) >> 6n),
    short: min(CAP, min(undiscounted, times(fromWad(section.shortBase), growth) >> 6n)),
  };
}

/** basisBase + basisPerYear * tau, WAD. */
const basisFactor = (section, seconds) => section.basisBase + (section.basisPerYear * seconds) / YEAR;

/** What settlement averaging has fixed of a forward already, E8. */
function fixedPart(section, forward, seconds) {
  const left = section.averagingSeconds - seconds;
  return left > 0n ? (forward * left) / section.averagingSeconds : 0n;
}

/** cap and k* of a skew, Q58. */
function skewTerms(section, seconds, isAbsolute) {
  const root = rootOfYears(seconds);
  const line = (start, slope) => fromWad(start) + times(fromWad(slope), root);
  const cap = isAbsolute
    ? line(section.absoluteCap, section.absoluteCapSlope)
    : line(section.linearCap, section.linearCapSlope);
  const reach = times(times(root, fromWad(section.skewWidth)), line(section.skewVol, section.skewVolSlope));
  return { cap: within(cap >> 6n, CAP), kStar: min(CAP, max(fromWad(section.skewMinimum), reach) >> 6n) };
}

/** 1 + k * cap / k*, not steeper than the cap on the side of k, at least 0 and at most 16; all Q58. */
function skewMultiplier(k, cap, kStar) {
  const product = k * cap;
  let tilt = product / kStar;
  if (tilt * kStar > product) tilt -= 1n;
  tilt = within(tilt, CAP);
  tilt = k < 0n ? max(-cap, tilt) : min(cap, tilt);
  return max(0n, min(CAP, ONE_Q58 + tilt));
}

/** How total volatility moves, Q58: it is multiplied, added to, and held above a floor. */
function volRule(section, kind, amount, seconds) {
  const annual = (wad) => (fromWad(wad) * rootOfYears(seconds)) >> 70n;
  const scaled = (wad) => times(fromWad(wad), tenorMultiplier(section, seconds));
  const rule = { multiplier: ONE_Q58, added: 0n, floor: 0n };
  if (kind === KIND.add) rule.added = within(annual(amount), CAP);
  if (kind === KIND.down) rule.multiplier = max(0n, ONE_Q64 - scaled(section.volDown)) >> 6n;
  if (kind === KIND.up) {
    rule.multiplier = min(CAP, (ONE_Q64 + scaled(section.volUp)) >> 6n);
    rule.floor = min(CAP, annual(section.minVolUp));
  }
  return rule;
}

/** The moved total volatility, Q58, in [0, 16]. */
const movedVol = (vol, { multiplier, added, floor }) =>
  min(CAP, max(max(floor, 0n), ((vol * multiplier) >> 58n) + added));

module.exports = {
  KIND,
  years,
  rootOfYears,
  tenorMultiplier,
  discountFactor,
  staticDiscounts,
  basisFactor,
  fixedPart,
  skewTerms,
  skewMultiplier,
  volRule,
  movedVol,
};
