"use strict";
// Topics of numbers: fixed point, pricing, smile, and what a scenario does. Integers come and go as decimal text.

const N = require("./numbers.js");
const P = require("./pricing.js");
const T = require("./tenor.js");
const { fixedAndShocked } = require("./valuation.js");

const text = (value) => value.toString();

/** The same structure with every BigInt as a decimal string. */
const decimals = (value) =>
  JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? text(item) : item)));

/** The same fields as BigInts; words stay words. */
const integers = (record) =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, /^-?[0-9]+$/.test(value) ? BigInt(value) : value]),
  );

/** A topic that takes integers and gives integers. */
const numeric = (compute) => (input) => decimals(compute(integers(input)));

function black76({ forward, strike, totalVol, discount }) {
  const pair = P.option(forward, strike, P.ln(forward), P.ln(strike), totalVol, discount);
  return { ...pair, putDelta: P.putDelta(pair.callDelta, discount) };
}

function smileParameters(svi) {
  P.checkSmile(svi);
  const { a, b, rho, m, sigma } = P.binarySmile(svi);
  return { aQ64: a, bQ60: b, rhoQ60: rho, mQ58: m, sigmaQ58: sigma };
}

function smileVol({ svi, forward, strike }) {
  P.checkSmile(integers(svi));
  const smile = P.binarySmile(integers(svi));
  return { totalVol: text(P.totalVol(smile, P.ln(BigInt(forward)), P.ln(BigInt(strike)))) };
}

const ARITHMETIC_TOPICS = {
  "fixed-point/division": numeric(({ rounding, numerator, denominator }) => ({
    quotient: rounding === "down" ? N.floorDiv(numerator, denominator) : N.ceilDiv(numerator, denominator),
  })),
  "fixed-point/shift": numeric(({ a, b, bits }) => ({ product: (a * b) >> bits })),
  "fixed-point/square-root": numeric(({ value }) => ({ root: N.sqrt(value) })),
  "fixed-point/wad-to-binary": numeric(({ wad, bits }) => ({ binary: N.fromWad(wad, bits) })),
  "fixed-point/logarithm": numeric(({ x }) => ({ logarithm: P.ln(x) })),
  "fixed-point/exponential": numeric(({ x }) => ({ exponential: P.exp(x) })),
  "fixed-point/bounded-exponential": numeric(({ x }) => ({ exponential: P.boundedExp(x) })),
  "fixed-point/power": numeric(({ ratioLogarithm, exponent }) => ({
    power: P.power(ratioLogarithm, exponent),
  })),
  "pricing/gaussian": numeric(({ x }) => ({ probability: P.cdf(x) })),
  "pricing/black76": numeric(black76),
  "smile/parameters": numeric(smileParameters),
  "smile/total-vol": smileVol,
  "scenario/year-fraction": numeric(({ seconds }) => ({
    years: T.years(seconds),
    squareRoot: T.rootOfYears(seconds),
  })),
  "scenario/tenor-multiplier": numeric(({ seconds, ...section }) => ({
    multiplier: T.tenorMultiplier(section, seconds),
  })),
  "scenario/vol-rule": numeric(({ kind, amount, seconds, ...section }) =>
    T.volRule(section, T.KIND[kind], amount, seconds),
  ),
  "scenario/shocked-vol": numeric(({ vol, ...rule }) => ({ vol: T.movedVol(vol, rule) })),
  "scenario/discount": numeric(({ rate, seconds }) => ({ discount: T.discountFactor(rate, seconds) })),
  "scenario/static-discounts": numeric(({ rate, seconds, ...section }) =>
    T.staticDiscounts(section, rate, seconds),
  ),
  "scenario/basis-factor": numeric(({ seconds, ...section }) => ({
    factor: T.basisFactor(section, seconds),
  })),
  "scenario/fixed-part": numeric(({ forward, seconds, spot, ...section }) =>
    fixedAndShocked(section, forward, seconds, spot),
  ),
  "scenario/skew-terms": numeric(({ kind, seconds, ...section }) =>
    T.skewTerms(section, seconds, kind === "absolute_skew"),
  ),
  "scenario/skew-multiplier": numeric(({ k, cap, kStar }) => ({
    multiplier: T.skewMultiplier(k, cap, kStar),
  })),
};

module.exports = { decimals, integers, ARITHMETIC_TOPICS };
