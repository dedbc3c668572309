"use strict";
// Independent checker. Shares no code with the rest of the project and needs nothing but Node 20.
//
//   node tests/independent/checker.js [VECTOR_FOLDER]     recompute every vector; exit 1 on any difference
//   node tests/independent/checker.js margin FILE.json    figures of whole accounts, as JSON on standard output

const fs = require("fs");
const path = require("path");
const { createHash } = require("crypto");
const { Refused } = require("./numbers.js");
const { keccak } = require("./keccak.js");
const { TOPICS, marginOf } = require("./topics.js");

/** JSON with sorted keys, so that equal values have equal texts. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => JSON.stringify(key) + ":" + canonical(value[key])).join(",")}}`;
  }
  return JSON.stringify(value);
}

function outcome(topic, input) {
  try {
    return { result: "valid", expected: topic(input) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { result: "invalid", error: { name: error.refusal, args: error.args } };
  }
}

function checkFile(folder, entry, report) {
  const data = fs.readFileSync(path.join(folder, entry.path));
  const hashes = { sha256: "0x" + createHash("sha256").update(data).digest("hex"), keccak256: "0x" + keccak(data).toString("hex") };
  for (const [name, value] of Object.entries(hashes)) {
    if (value !== entry[name]) report(`${entry.path}: ${name} is ${value}, the manifest says ${entry[name]}`);
  }
  const document = JSON.parse(data.toString("utf8"));
  const topic = TOPICS[`${entry.family}/${entry.topic}`];
  if (!topic) return report(`${entry.path}: this checker does not know the topic`);
  if (document.cases.length !== entry.cases) report(`${entry.path}: ${document.cases.length} cases, the manifest says ${entry.cases}`);
  for (const item of document.cases) {
    const { result, expected, error } = item;
    const wanted = canonical(result === "valid" ? { result, expected } : { result, error });
    let found;
    try {
      found = canonical(outcome(topic, item.input));
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

function main(args) {
  if (args[0] === "margin") {
    const accounts = JSON.parse(fs.readFileSync(args[1], "utf8"));
    console.log(JSON.stringify(accounts.map((account) => outcome(marginOf, account))));
    return 0;
  }
  return checkAll(args[0] ?? path.join(__dirname, "..", "vectors"));
}

process.exitCode = main(process.argv.slice(2));
