"use strict";
// Instruments, scenarios and the figures of an account.

const { refuse, floorDiv, ceilDiv, max, min, sqrt } = require("./numbers.js");
const P = require("./pricing.js");
const { fromHex, toHex, readPortfolio, readModel, readMarket } = require("./codecs.js");

const MONTH = 30n * 86400n;
const YEAR = 365n * 86400n;
const ONE_Q64 = 1n << 64n;
const ONE_Q58 = 1n << 58n;
const VOL_KIND = { none: 0n, up: 1n, down: 2n };

/** What an id stands for: bits 26-31 underlying, 16-25 expiry, 1-15 strike, 0 put. */
function resolve(registry, id) {
  const unknown = () => refuse("UnknownInstrument", { id });
  const underlying = id >> 26n;
  const expiryIndex = Number((id >> 16n) & 1023n);
  const strikeIndex = Number((id >> 1n) & 32767n);
  const isPut = (id & 1n) === 1n;
  const expiries = registry.expiries[underlying];
  if (!expiries) unknown();
  if (expiryIndex < 2) {
    if (strikeIndex !== 0 || isPut) unknown();
    return { underlying, kind: expiryIndex === 0 ? "spot" : "perpetual", expiry: 0n, strike: 0n };
  }
  const strikes = registry.strikes[underlying] ?? [];
  if (expiryIndex - 2 >= expiries.length || strikeIndex > strikes.length) unknown();
  const expiry = BigInt(expiries[expiryIndex - 2]);
  if (strikeIndex === 0) {
    if (isPut) unknown();
    return { underlying, kind: "future", expiry, strike: 0n };
  }
  return { underlying, kind: isPut ? "put" : "call", expiry, strike: BigInt(strikes[strikeIndex - 1]) };
}

/** Multiplier and floor of total volatility, Q58. */
function volRule(section, kind, seconds) {
  if (kind === VOL_KIND.none) return { multiplier: ONE_Q58, floor: 0n };
  const exponent = P.fromWad(seconds <= MONTH ? section.powerShort : section.powerLong);
  const ratio = P.ln(MONTH) - P.ln(max(seconds, section.floorSeconds));
  const m = P.exp((ratio * exponent) >> 64n);
  const scaled = (wad) => (P.fromWad(wad) * m) >> 64n;
  if (kind === VOL_KIND.down) return { multiplier: max(0n, ONE_Q64 - scaled(section.volDown)) >> 6n, floor: 0n };
  const years = sqrt((seconds << 128n) / YEAR);
  return {
    multiplier: min(P.TOTAL_VOL_CAP, (ONE_Q64 + scaled(section.volUp)) >> 6n),
    floor: min(P.TOTAL_VOL_CAP, (P.fromWad(section.minVolUp) * years) >> 70n),
  };
}

function payoff({ kind, strike }, price) {
  if (kind === "call") return max(0n, price - strike);
  if (kind === "put") return max(0n, strike - price);
  return price;
}

const shocked = (price, scenario) => (scenario ? floorDiv(price * scenario.spot, P.WAD) : price);

/** Value of one unit, E8; no scenario means now. */
function valueOf(instrument, market, section, scenario) {
  const quotes = market.underlyings.find((candidate) => candidate.underlying === instrument.underlying);
  if (!quotes) refuse("MissingUnderlying", { underlying: instrument.underlying });
  if (instrument.kind === "spot") return shocked(quotes.spot, scenario);
  if (instrument.kind === "perpetual") return shocked(quotes.spot, scenario) - quotes.funding;
  const settlement = quotes.settlements.find((candidate) => candidate.expiry === instrument.expiry);
  if (settlement) return payoff(instrument, settlement.price);
  const quote = quotes.expiries.find((candidate) => candidate.expiry === instrument.expiry);
  if (!quote) refuse("MissingExpiry", { expiry: instrument.expiry });
  const forward = shocked(quote.forward, scenario);
  if (instrument.kind === "future") return forward;
  const lnStrike = P.ln(instrument.strike);
  let vol = P.totalVol(quote.svi, P.ln(quote.forward), lnStrike);
  const rule = scenario ? volRule(section, scenario.volKind, quote.expiry - market.time) : { multiplier: ONE_Q58, floor: 0n };
  vol = min(P.TOTAL_VOL_CAP, max(rule.floor, (vol * rule.multiplier) >> 58n));
  return P.optionValue(instrument.kind === "call", forward, instrument.strike, P.ln(forward), lnStrike, vol);
}

function sectionOf(model, underlying) {
  return model.find((section) => section.underlying === underlying) ?? refuse("MissingModelSection", { underlying });
}

/** All figures of {registry, model, market, portfolio}; money E8, losses E34. */
function figures(input) {
  const model = readModel(fromHex(input.model));
  const market = readMarket(fromHex(input.market));
  const positions = readPortfolio(fromHex(input.portfolio)).map(({ id, quantity }) => ({
    quantity,
    instrument: resolve(input.registry, id),
  }));
  const result = { value: 0n, spotValue: 0n, losses: {} };
  const worstBytes = [];
  let initial = 0n;
  let maintenance = 0n;
  const held = [...new Set(positions.map(({ instrument }) => instrument.underlying))];
  for (const underlying of held) {
    const section = sectionOf(model, underlying);
    const losses = section.scenarios.map(() => 0n);
    for (const { instrument, quantity } of positions) {
      if (instrument.underlying !== underlying) continue;
      const now = valueOf(instrument, market, section, null);
      result.value += quantity * now;
      if (instrument.kind === "spot") result.spotValue += quantity * now;
      section.scenarios.forEach((scenario, s) => {
        losses[s] -= scenario.weight * quantity * (valueOf(instrument, market, section, scenario) - now);
      });
    }
    let worst = 0;
    losses.forEach((loss, s) => (worst = loss > losses[worst] ? s : worst));
    const scan = max(0n, losses[worst]);
    initial += section.initialFactor * scan;
    maintenance += section.maintenanceFactor * scan;
    worstBytes.push(Number(underlying), worst);
    result.losses[underlying] = losses.map(String);
  }
  return {
    value: String(floorDiv(result.value, 10n ** 8n)),
    spotValue: String(floorDiv(result.spotValue, 10n ** 8n)),
    initialMargin: String(ceilDiv(initial, 10n ** 44n)),
    maintenanceMargin: String(ceilDiv(maintenance, 10n ** 44n)),
    worstScenarios: toHex(Buffer.from(worstBytes)),
    losses: result.losses,
  };
}

module.exports = { VOL_KIND, resolve, volRule, valueOf, sectionOf, figures };
