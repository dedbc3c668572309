"use strict";
// From values to requirements: sums by expiry, losses by scenario, charges, add-ons, one rounding.

const { floorDiv, ceilDiv, max, min, abs, WAD } = require("./numbers.js");
const T = require("./tenor.js");
const { hasBasis, hasDelta, hasShortMinimum } = require("./model.js");
const { isOption, isDated } = require("./valuation.js");

const E8 = 10n ** 8n;
const REQUIREMENT_SCALE = 10n ** 44n;

const sum = (values) => values.reduce((total, value) => total + value, 0n);
const sizes = (positions) => sum(positions.map(({ quantity }) => abs(quantity)));

/** Add quantity * value to every column of a sum. */
function accumulate(sums, quantity, values) {
  for (let column = 0; column < sums.length; column++) sums[column] += quantity * values[column];
}

/** Positions of one underlying by what moves alike, with the exact sum of each group in every column (E16). */
function group(positions, underlying, valuation) {
  const zeros = () => underlying.moves.map(() => 0n);
  const held = { undated: [], undatedSums: zeros(), expiries: new Map() };
  const live = positions.filter(
    ({ instrument }) => isDated(instrument) && !underlying.settled.has(instrument.expiry),
  );
  const dates = [...new Set(live.map(({ instrument }) => instrument.expiry))];
  for (const date of dates.sort((a, b) => (a < b ? -1 : 1))) {
    const prepared = underlying.expiry(date);
    const sums = { optionSums: zeros(), futureSums: zeros() };
    held.expiries.set(date, { prepared, options: [], futures: [], ...sums });
  }
  for (const position of positions) {
    const { instrument, quantity } = position;
    const { values } = valuation.row(instrument);
    if (!isDated(instrument)) {
      held.undated.push(position);
      accumulate(held.undatedSums, quantity, values);
    } else if (held.expiries.has(instrument.expiry)) {
      const expiry = held.expiries.get(instrument.expiry);
      (isOption(instrument) ? expiry.options : expiry.futures).push(position);
      accumulate(isOption(instrument) ? expiry.optionSums : expiry.futureSums, quantity, values);
    }
  }
  held.options = [...held.expiries.values()].flatMap((expiry) => expiry.options);
  held.futures = [...held.expiries.values()].flatMap((expiry) => expiry.futures);
  return held;
}

/** floor(sum * discount), E16. */
const discounted = (total, { long, short }) => (total * (total < 0n ? short : long)) >> 58n;

function scenarioLosses(held, { section }) {
  const changes = section.scenarios.map((_, s) => held.undatedSums[1 + s] - held.undatedSums[0]);
  for (const { prepared, optionSums, futureSums } of held.expiries.values()) {
    section.scenarios.forEach(({ kind }, s) => {
      const options = discounted(optionSums[1 + s], prepared.discounts) - optionSums[0];
      const change = options + futureSums[1 + s] - futureSums[0];
      changes[s] += kind >= T.KIND.linear_skew ? -abs(change) : change;
    });
  }
  return changes.map((change, s) => -section.scenarios[s].weight * change);
}

/** Per expiry the worst of no move and the two forward moves, times the factor. */
function basisLoss(held, { section, moves }) {
  const up = moves.length - 2;
  let loss = 0n;
  for (const { prepared, optionSums, futureSums } of held.expiries.values()) {
    const fall = (column) => optionSums[0] + futureSums[0] - optionSums[column] - futureSums[column];
    loss += max(0n, max(fall(up), fall(up + 1))) * T.basisFactor(section, prepared.seconds);
  }
  return loss;
}

/** A rate of the net delta and one of what is hedged, in spot. */
function deltaLoss(held, { section, quotes }, valuation) {
  let long = 0n;
  let short = 0n;
  for (const { instrument, quantity } of [...held.undated, ...held.futures, ...held.options]) {
    const delta = quantity * valuation.row(instrument).delta;
    if (delta > 0n) long += delta;
    else short -= delta;
  }
  const weighted = section.deltaNet * abs(long - short) + section.deltaHedged * min(long, short);
  return ceilDiv(weighted * quotes.spot, 1n << 60n);
}

/** So much per unit of every short option. */
function shortMinimumLoss(held, { section, quotes }) {
  const perUnit = section.shortMinimum + (section.shortMinimumRate * quotes.spot) / WAD;
  return perUnit * sum(held.options.map(({ quantity }) => max(0n, -quantity))) * WAD;
}

/** Net short quantity by expiry and strike, calls and puts together. */
function nakedShorts(held) {
  let naked = 0n;
  for (const { options } of held.expiries.values()) {
    const net = new Map();
    for (const { instrument, quantity } of options) {
      net.set(instrument.strike, (net.get(instrument.strike) ?? 0n) + quantity);
    }
    for (const quantity of net.values()) naked += max(0n, -quantity);
  }
  return naked;
}

/** Initial only: (1 - confidence) * rate of every notional whose confidence is below the threshold. */
function confidenceAddOn(held, { section, quotes }) {
  const groups = [{ confidence: quotes.confidence, notional: sizes(held.undated) * quotes.spot }];
  for (const { prepared, options, futures } of held.expiries.values()) {
    groups.push({
      confidence: min(quotes.confidence, prepared.quote.confidence),
      notional: (sizes(options) + sizes(futures)) * quotes.spot,
    });
  }
  const low = groups.filter(({ confidence }) => confidence < section.confidenceThreshold);
  const charge = ({ confidence, notional }) => (WAD - confidence) * section.confidenceRate * notional;
  return {
    name: "confidence",
    notional: sum(low.map((one) => one.notional)),
    maintenance: 0n,
    initial: sum(low.map(charge)),
  };
}

/** [{name, notional (E16), maintenance, initial (10^52, the whole)}], those that come to nothing left out. */
function addOns(held, underlying) {
  const { section, quotes } = underlying;
  const ofKind = (kind) => sizes(held.undated.filter(({ instrument }) => instrument.kind === kind));
  const rate = (name, quantity, maintenanceRate, initialRate) => {
    const notional = quantity * quotes.spot;
    return {
      name,
      notional,
      maintenance: notional * maintenanceRate * WAD,
      initial: notional * (maintenanceRate + initialRate) * WAD,
    };
  };
  return [
    rate("nakedShortOptions", nakedShorts(held), section.nakedMaintenance, section.nakedInitial),
    rate("perpetuals", ofKind("perpetual"), section.perpetualMaintenance, section.perpetualInitial),
    rate("futures", sizes(held.futures), section.futureMaintenance, section.futureInitial),
    rate("collateralHaircut", ofKind("spot"), section.haircutMaintenance, section.haircutInitial),
    confidenceAddOn(held, underlying),
  ].filter(({ initial }) => initial !== 0n);
}

/** The initial factor with what a settlement token below its peg adds, WAD. */
function initialFactor(section, settlementToken) {
  const shortfall = max(0n, section.pegThreshold - settlementToken);
  return section.initialFactor + ceilDiv(section.pegFactor * shortfall, E8);
}

/** Losses (E34), the worst's index, scan, factors and add-ons of one underlying's positions. */
function scanUnderlying(positions, valuation) {
  const underlying = valuation.underlying(positions[0].instrument.underlying);
  const { section } = underlying;
  const held = group(positions, underlying, valuation);
  const losses = scenarioLosses(held, underlying);
  if (hasBasis(section)) losses.push(basisLoss(held, underlying));
  if (hasDelta(section)) losses.push(deltaLoss(held, underlying, valuation));
  if (hasShortMinimum(section)) losses.push(shortMinimumLoss(held, underlying));
  let worst = 0;
  losses.forEach((loss, index) => (worst = loss > losses[worst] ? index : worst));
  return {
    underlying: section.underlying,
    losses,
    worst,
    scan: max(0n, losses[worst]),
    initialFactor: initialFactor(section, valuation.market.settlementToken),
    maintenanceFactor: section.maintenanceFactor,
    addOns: addOns(held, underlying),
  };
}

/** All figures of positions [{instrument, quantity}], as BigInts: money E8, losses E34. */
function margin(positions, valuation) {
  const byUnderlying = new Map();
  for (const position of positions) {
    const { underlying } = position.instrument;
    if (!byUnderlying.has(underlying)) byUnderlying.set(underlying, []);
    byUnderlying.get(underlying).push(position);
  }
  const underlyings = [...byUnderlying.keys()].sort((a, b) => (a < b ? -1 : 1));
  const scans = underlyings.map((underlying) => scanUnderlying(byUnderlying.get(underlying), valuation));
  const worth = ({ instrument, quantity }) => quantity * valuation.row(instrument).values[0];
  const spots = positions.filter(({ instrument }) => instrument.kind === "spot");
  const requirement = (terms) => ceilDiv(sum(terms), REQUIREMENT_SCALE);
  return {
    value: floorDiv(sum(positions.map(worth)), E8),
    spotValue: floorDiv(sum(spots.map(worth)), E8),
    initialMargin: requirement(
      scans.map((s) => s.initialFactor * s.scan + sum(s.addOns.map((addOn) => addOn.initial))),
    ),
    maintenanceMargin: requirement(
      scans.map((s) => s.maintenanceFactor * s.scan + sum(s.addOns.map((addOn) => addOn.maintenance))),
    ),
    scans,
  };
}

module.exports = { initialFactor, margin };
