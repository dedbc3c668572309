"use strict";
// What instruments are worth in one market under one model: every column of an underlying at once, each remembered.

const { refuse, floorDiv, max, min, abs, WAD, fromWad } = require("./numbers.js");
const P = require("./pricing.js");
const T = require("./tenor.js");
const { sectionOf, hasBasis } = require("./model.js");
const { quotesOf } = require("./market.js");

const NOW = { spot: WAD, kind: T.KIND.none, amount: 0n, weight: WAD };
const KINDS = ["spot", "perpetual", "future", "call", "put"];

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
    return { underlying, kind: KINDS[expiryIndex], expiry: 0n, strike: 0n };
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

const isOption = ({ kind }) => kind === "call" || kind === "put";
const isDated = ({ kind }) => kind === "future" || kind === "call" || kind === "put";

function payoff({ kind, strike }, price) {
  if (kind === "call") return max(0n, price - strike);
  if (kind === "put") return max(0n, strike - price);
  return price;
}

const shocked = (price, spot) => floorDiv(price * spot, WAD);

/** A forward's fixed part, and the forward when the rest moves with the spot. */
function fixedAndShocked(section, forward, seconds, spot) {
  const fixed = T.fixedPart(section, forward, seconds);
  return { fixed, shocked: fixed + shocked(forward - fixed, spot) };
}

/** One live expiry: all that strikes share, and the pairs of calls and puts asked for so far. */
class LiveExpiry {
  constructor(quote, section, moves, time, overrides) {
    this.quote = quote;
    this.seconds = quote.expiry - time;
    this.section = section;
    this.overrides = overrides;
    this.smile = P.binarySmile(quote.svi);
    this.lnForward = P.ln(quote.forward);
    this.discount = T.discountFactor(quote.rate, this.seconds);
    this.rules = new Map();
    this.logarithms = new Map();
    this.pairs = new Map();
    this.columns = moves.map((move) => this.column(move));
  }

  /** The static discounts, computed once. */
  get discounts() {
    this.staticDiscounts ??= T.staticDiscounts(this.section, this.quote.rate, this.seconds);
    return this.staticDiscounts;
  }

  /** A move here: the forward, its logarithm, and how volatility moves. */
  column({ spot, kind, amount }) {
    const isSkew = kind === T.KIND.linear_skew || kind === T.KIND.absolute_skew;
    const moved = fixedAndShocked(this.section, this.quote.forward, this.seconds, spot).shocked;
    const forward = isSkew ? this.quote.forward : moved;
    if (!this.logarithms.has(forward)) this.logarithms.set(forward, P.ln(forward));
    return { forward, lnForward: this.logarithms.get(forward), rule: this.rule(kind, amount) };
  }

  rule(kind, amount) {
    const key = `${kind} ${amount}`;
    if (!this.rules.has(key)) {
      const isAbsolute = kind === T.KIND.absolute_skew;
      const skew =
        isAbsolute || kind === T.KIND.linear_skew
          ? { isAbsolute, ...T.skewTerms(this.section, this.seconds, isAbsolute) }
          : null;
      this.rules.set(key, { skew, ...T.volRule(this.section, kind, amount, this.seconds) });
    }
    return this.rules.get(key);
  }

  vol(strike, lnStrike) {
    const override = this.overrides?.[strike];
    if (override === undefined) return P.totalVol(this.smile, this.lnForward, lnStrike);
    return min(P.CAP, (fromWad(BigInt(override)) * T.rootOfYears(this.seconds)) >> 70n);
  }

  /** {calls, puts} in every column and {callDelta, putDelta} now. */
  pair(strike) {
    let pair = this.pairs.get(strike);
    if (pair !== undefined) return pair;
    const lnStrike = P.ln(strike);
    const vol = this.vol(strike, lnStrike);
    const k = lnStrike - this.lnForward;
    const cells = this.columns.map(({ forward, lnForward, rule }) => {
      const { skew } = rule;
      const multiplier = skew
        ? T.skewMultiplier((skew.isAbsolute ? abs(k) : k) >> 6n, skew.cap, skew.kStar)
        : rule.multiplier;
      const moved = T.movedVol(vol, { multiplier, added: rule.added, floor: rule.floor });
      return P.option(forward, strike, lnForward, lnStrike, moved, this.discount);
    });
    const { callDelta } = cells[0];
    pair = {
      call: { values: cells.map((cell) => cell.call), delta: callDelta },
      put: { values: cells.map((cell) => cell.put), delta: P.putDelta(callDelta, this.discount) },
    };
    this.pairs.set(strike, pair);
    return pair;
  }
}

/** One underlying. `moves` names the columns: now, the scenarios, and the two of a basis charge. */
class Underlying {
  constructor(quotes, section, time, overrides) {
    this.quotes = quotes;
    this.section = section;
    this.time = time;
    this.overrides = overrides;
    this.moves = [NOW, ...section.scenarios];
    if (hasBasis(section)) {
      this.moves.push({ ...NOW, spot: section.basisUp }, { ...NOW, spot: section.basisDown });
    }
    this.settled = new Map(quotes.settlements.map(({ expiry, price }) => [expiry, price]));
    this.live = new Map();
  }

  /** Error: `MissingExpiry` when there is no quote. */
  expiry(expiry) {
    if (!this.live.has(expiry)) {
      const quote = this.quotes.expiries.find((candidate) => candidate.expiry === expiry);
      if (!quote) refuse("MissingExpiry", { expiry });
      const overrides = this.overrides[expiry];
      this.live.set(expiry, new LiveExpiry(quote, this.section, this.moves, this.time, overrides));
    }
    return this.live.get(expiry);
  }

  /** {values: E8, one per column; delta: Q60} of one unit. */
  row({ kind, expiry, strike }) {
    const constant = (value) => this.moves.map(() => value);
    const { spot, perpetual, funding } = this.quotes;
    if (kind === "spot") {
      return { values: this.moves.map((move) => shocked(spot, move.spot)), delta: P.ONE_Q60 };
    }
    if (kind === "perpetual") {
      return { values: this.moves.map((move) => shocked(perpetual, move.spot) - funding), delta: P.ONE_Q60 };
    }
    if (this.settled.has(expiry)) {
      return { values: constant(payoff({ kind, strike }, this.settled.get(expiry))), delta: 0n };
    }
    const live = this.expiry(expiry);
    if (kind === "future") {
      return { values: live.columns.map((column) => column.forward), delta: P.ONE_Q60 };
    }
    return live.pair(strike)[kind];
  }
}

/** One market under one model. `vols` overrides the smile: {underlying: {expiry: {strike E8: annual volatility WAD}}}. */
class Valuation {
  constructor(model, market, vols = {}) {
    this.model = model;
    this.market = market;
    this.vols = vols;
    this.known = new Map();
    this.rows = new WeakMap();
  }

  /** Errors: `MissingModelSection`, then `MissingUnderlying`. */
  underlying(underlying) {
    if (!this.known.has(underlying)) {
      const section = sectionOf(this.model, underlying);
      const quotes = quotesOf(this.market, underlying);
      const overrides = this.vols[underlying] ?? {};
      this.known.set(underlying, new Underlying(quotes, section, this.market.time, overrides));
    }
    return this.known.get(underlying);
  }

  /** The row of an instrument, remembered by the instrument object. */
  row(instrument) {
    let row = this.rows.get(instrument);
    if (row === undefined) {
      row = this.underlying(instrument.underlying).row(instrument);
      this.rows.set(instrument, row);
    }
    return row;
  }
}

module.exports = { KINDS, fixedAndShocked, resolve, isOption, isDated, Valuation };
