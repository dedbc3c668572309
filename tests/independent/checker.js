"use strict";
// Independent checker. Shares no code with the rest of the project and needs nothing but Node 20.
//
//   node tests/independent/checker.js [VECTOR_FOLDER]     recompute every vector; exit 1 on any difference
//   node tests/independent/checker.js margin FILE.json    figures of whole accounts, as JSON on standard output
//   node tests/independent/checker.js cells FILE.json     values in every column and deltas of instruments, likewise
//
// FILE.json of either holds {"models": [hex], "markets": [hex], "instrumentTables": [{expiries, strikes}]} and a list of questions, which
// refer to them by place:
//   "accounts": [{"model": 0, "market": 0, "instrumentTable": 0, "positions": [[id, "quantity"], ...]}]
//   "cells":    [{"model": 0, "market": 0, "instruments": [[underlying, kind, expiry, strike], ...]}]
// kind is "spot", "perpetual", "future", "call", "put" or its number; expiry (unix seconds) and strike (E8) are 0 where there is none. An
// instrument may also be an id of the instrument table, and model, market and table (as "registry") may stand in the question in full.
// "vols" of a question, {underlying: {expiry: {strike: annual volatility}}} (E8, WAD), overrides the smile.
// Answers, in order: of an account {"result", "expected" | "error"}; of cells one row per instrument, [value of every column ..., delta],
// or {"error"}. Columns: now, the scenarios, and the two moves of a basis charge if the model has one.

const fs = require("fs");
const path = require("path");
const { createHash } = require("crypto");
const { keccak } = require("./keccak.js");
const { outcome, marginFile, cellsFile } = require("./batch.js");
const { TOPICS } = require("./topics.js");

/** JSON with sorted keys, so that equal values have equal texts. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => JSON.stringify(key) + ":" + canonical(value[key])).join(",")}}`;
  }
  return JSON.stringify(value);
}

function checkFile(folder, entry, report) {
  const data = fs.readFileSync(path.join(folder, entry.path));
  const hashes = {
    sha256: "0x" + createHash("sha256").update(data).digest("hex"),
    keccak256: "0x" + keccak(data).toString("hex"),
  };
  for (const [name, value] of Object.entries(hashes)) {
    if (value !== entry[name]) report(`${entry.path}: ${name} is ${value}, the manifest says ${entry[name]}`);
  }
  const document = JSON.parse(data.toString("utf8"));
  const topic = TOPICS[`${entry.family}/${entry.topic}`];
  if (!topic) return report(`${entry.path}: this checker does not know the topic`);
  if (document.cases.length !== entry.cases)
    report(`${entry.path}: ${document.cases.length} cases, the manifest says ${entry.cases}`);
  for (const item of document.cases) {
    const { result, expected, error } = item;
    const wanted = canonical(result === "valid" ? { result, expected } : { result, error });
    let found;
    try {
      found = canonical(outcome(() => topic(item.input)));
    } catch (failure) {
      found = String(failure.stack);
    }
    if (found === wanted) report();
    else report(`${item.id} (${item.name})\n  wanted ${wanted}\n  found  ${found}`);
  }
}

function checkAll(folder) {
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, "MANIFEST.json"), "utf8"));
  const families = new Map();
  for (const entry of manifest.files) {
    const tally = families.get(entry.family) ?? { passed: 0, failed: 0 };
    families.set(entry.family, tally);
    checkFile(folder, entry, (failure) => {
      if (failure === undefined) return tally.passed++;
      tally.failed++;
      return console.error(failure);
    });
  }
  let passed = 0;
  let failed = 0;
  for (const [family, tally] of families) {
    console.log(`${family}: ${tally.passed} passed, ${tally.failed} failed`);
    passed += tally.passed;
    failed += tally.failed;
  }
  console.log(`total: ${passed} passed, ${failed} failed`);
  if (passed !== manifest.total) console.error(`the manifest counts ${manifest.total} cases`);
  return failed === 0 && passed === manifest.total && passed > 0 ? 0 : 1;
}

const MODES = { margin: marginFile, cells: cellsFile };

function main(args) {
  const [mode, file] = args;
  if (!Object.hasOwn(MODES, mode ?? "")) return checkAll(mode ?? path.join(__dirname, "..", "vectors"));
  if (file === undefined || args.length > 2) throw new Error(`${mode} takes one file`);
  process.stdout.write(JSON.stringify(MODES[mode](JSON.parse(fs.readFileSync(file, "utf8")))) + "\n");
  return 0;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  console.error(`checker: ${error.message}`);
  process.exitCode = 2;
}
