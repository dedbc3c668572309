"use strict";
// Whole files of questions: figures of accounts, and values of instruments, with shared models, markets and instrument lists.

const { inRange, refuse, Refused } = require("./numbers.js");
const { fromHex, toHex, checkPositions, readPortfolio } = require("./codecs.js");
const { readModel } = require("./model.js");
const { readMarket } = require("./market.js");
const { KINDS, resolve, Valuation } = require("./valuation.js");
const { margin } = require("./margin.js");

const REMEMBERED = 256;

/** The value kept under a key, made on first use; the oldest is forgotten beyond REMEMBERED. */
function remember(memory, key, make) {
  if (!memory.has(key)) {
    if (memory.size >= REMEMBERED) memory.delete(memory.keys().next().value);
    memory.set(key, make());
  }
  return memory.get(key);
}

/** A computation's result, or its refusal, as vectors write them. */
function outcome(compute) {
  try {
    return { result: "valid", expected: compute() };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { result: "invalid", error: { name: error.refusal, args: error.args } };
  }
}

const texts = (record) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)]));

/**
 * An account's figures as text: money E8; two bytes (underlying, index) per worst scenario; by underlying every loss (E34, scenarios, then
 * charges), the initial factor (WAD) and the add-ons (notional E16, amounts 10^52).
 */
function figuresText({ scans, ...money }) {
  const figures = texts(money);
  figures.worstScenarios = toHex(Buffer.from(scans.flatMap((s) => [Number(s.underlying), s.worst])));
  const byUnderlying = (part) => Object.fromEntries(scans.map((scan) => [scan.underlying, part(scan)]));
  const row = ({ name, ...amounts }) => ({ name, ...texts(amounts) });
  figures.losses = byUnderlying((scan) => scan.losses.map(String));
  figures.initialFactors = byUnderlying((scan) => String(scan.initialFactor));
  figures.addOns = byUnderlying((scan) => scan.addOns.map(row));
  return figures;
}

/** Models, markets and instrument lists of one file, each read once; a valuation for every pair that is asked for. */
class Shared {
  constructor({ models = [], markets = [], instrumentTables = [] } = {}) {
    this.lists = { model: models, market: markets, instrumentTable: instrumentTables };
    this.readings = new Map();
    this.valuations = new Map();
    this.instruments = new WeakMap();
  }

  /** A document by its place in the file's list, or given in full. */
  document(name, given) {
    if (typeof given !== "number") return given;
    const list = this.lists[name];
    if (list[given] === undefined)
      throw new Error(`there is no ${name} ${given}: the file lists ${list.length}`);
    return list[given];
  }

  read(name, text, reader) {
    return remember(this.readings, `${name} ${text}`, () => outcome(() => reader(fromHex(text))));
  }

  valuation({ model, market, vols }) {
    const texts = [this.document("model", model), this.document("market", market)];
    const key = [model, market, JSON.stringify(vols ?? {})].join(" ");
    return remember(this.valuations, key, () => {
      const readings = [this.read("model", texts[0], readModel), this.read("market", texts[1], readMarket)];
      for (const { error } of readings) if (error) refuse(error.name, error.args);
      return new Valuation(...readings.map((reading) => reading.expected), vols);
    });
  }

  /** The instrument behind an id; equal ids of one list give the same object. */
  instrument(table, id) {
    const registry = this.document("instrumentTable", table);
    if (!this.instruments.has(registry)) this.instruments.set(registry, new Map());
    const known = this.instruments.get(registry);
    if (!known.has(id)) known.set(id, resolve(registry, id));
    return known.get(id);
  }

  /** The margin of {model, market, registry or instrumentTable, portfolio or positions [[id, quantity]], vols}. */
  margin({ registry, instrumentTable = registry ?? 0, portfolio, positions, ...basis }) {
    const valuation = this.valuation(basis);
    const held =
      portfolio === undefined
        ? checkPositions(positions.map(([id, quantity]) => ({ id: BigInt(id), quantity: BigInt(quantity) })))
        : readPortfolio(fromHex(portfolio));
    const resolved = held.map(({ id, quantity }) => ({
      instrument: this.instrument(instrumentTable, id),
      quantity,
    }));
    return margin(resolved, valuation);
  }

  /** Rows [value in every column ..., delta] of {model, market, instruments}: ids, or [underlying, kind, expiry, strike E8]. */
  cells({ registry, instrumentTable = registry ?? 0, instruments, ...basis }) {
    const valuation = this.valuation(basis);
    return instruments.map((item) => {
      const instrument = Array.isArray(item)
        ? described(item)
        : this.instrument(instrumentTable, BigInt(item));
      const { values, delta } = valuation.row(instrument);
      return [...values, delta].map(String);
    });
  }
}

function described([underlying, kind, expiry, strike]) {
  const index = typeof kind === "number" ? kind : KINDS.indexOf(kind);
  inRange("kind", index, 0, KINDS.length - 1);
  return {
    underlying: BigInt(underlying),
    kind: KINDS[index],
    expiry: BigInt(expiry),
    strike: BigInt(strike),
  };
}

/** Answers to a file of accounts: a list of whole accounts, or {models, markets, instrumentTables, accounts}. */
function marginFile(file) {
  const shared = new Shared(file);
  const accounts = Array.isArray(file) ? file : file.accounts;
  return accounts.map((account) => outcome(() => figuresText(shared.margin(account))));
}

/** Answers to {models, markets, instrumentTables, cells}: rows, or the refusal of the whole question. */
function cellsFile(file) {
  const shared = new Shared(file);
  return file.cells.map((question) => {
    const { expected, error } = outcome(() => shared.cells(question));
    return expected ?? { error };
  });
}

module.exports = { outcome, figuresText, Shared, marginFile, cellsFile };
