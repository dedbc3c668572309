"use strict";
// The margin model's bytes: read, refuse.

const { refuse, inRange, WAD } = require("./numbers.js");
const { Cursor } = require("./codecs.js");
const { KIND } = require("./tenor.js");

const VERSION = 2n;
const DAY = 86400n;

/** Every parameter in the order of the bytes, with its inclusive range. */
const FIELDS = [
  ["initialFactor", 0n, 10n * WAD],
  ["maintenanceFactor", 0n, 10n * WAD],
  ["pegThreshold", 0n, 10n ** 9n],
  ["pegFactor", 0n, 10n * WAD],
  ["volUp", 0n, 10n * WAD],
  ["volDown", 0n, 10n * WAD],
  ["minVolUp", 0n, 20n * WAD],
  ["powerShort", 0n, 10n * WAD],
  ["powerLong", 0n, 10n * WAD],
  ["floorSeconds", 1n, 400n * DAY],
  ["averagingSeconds", 0n, DAY],
  ["linearCap", 0n, 10n * WAD],
  ["linearCapSlope", -10n * WAD, 10n * WAD],
  ["absoluteCap", 0n, 10n * WAD],
  ["absoluteCapSlope", -10n * WAD, 10n * WAD],
  ["skewMinimum", 10n ** 12n, 10n * WAD],
  ["skewWidth", 0n, 10n * WAD],
  ["skewVol", 0n, 10n * WAD],
  ["skewVolSlope", -20n * WAD, 20n * WAD],
  ["longBase", 0n, 4n * WAD],
  ["longRateMultiple", 0n, 10n * WAD],
  ["longRateAdd", 0n, 10n * WAD],
  ["shortBase", 0n, 4n * WAD],
  ["shortRateMultiple", 0n, 10n * WAD],
  ["shortRateAdd", 0n, 10n * WAD],
  ["basisUp", WAD / 100n, 16n * WAD],
  ["basisDown", WAD / 100n, 16n * WAD],
  ["basisBase", 0n, 20n * WAD],
  ["basisPerYear", 0n, 20n * WAD],
  ["deltaNet", 0n, 10n * WAD],
  ["deltaHedged", 0n, 10n * WAD],
  ["shortMinimum", 0n, 10n ** 14n],
  ["shortMinimumRate", 0n, 10n * WAD],
  ["nakedMaintenance", 0n, 20n * WAD],
  ["nakedInitial", 0n, 20n * WAD],
  ["perpetualMaintenance", 0n, 20n * WAD],
  ["perpetualInitial", 0n, 20n * WAD],
  ["futureMaintenance", 0n, 20n * WAD],
  ["futureInitial", 0n, 20n * WAD],
  ["haircutMaintenance", 0n, WAD],
  ["haircutInitial", 0n, WAD],
  ["confidenceThreshold", 0n, WAD],
  ["confidenceRate", 0n, 20n * WAD],
];

function readSection(cursor) {
  const section = { underlying: cursor.u8() };
  for (const [name] of FIELDS) section[name] = cursor.i128();
  section.scenarios = cursor.many(() => ({
    spot: cursor.u64(),
    kind: cursor.u8(),
    amount: cursor.i64(),
    weight: cursor.u64(),
  }));
  return section;
}

function checkScenario({ spot, kind, amount, weight }) {
  inRange("spotShock", spot, WAD / 100n, 16n * WAD);
  inRange("volKind", kind, 0n, KIND.absolute_skew);
  const most = kind === KIND.add ? 4n * WAD : 0n;
  inRange("volAdd", amount, -most, most);
  inRange("weight", weight, 0n, 9n * WAD);
}

function checkSection(section, previous) {
  inRange("underlying", section.underlying, 1n, 63n);
  if (section.underlying <= previous) refuse("NotIncreasing", { previous, value: section.underlying });
  for (const [name, low, high] of FIELDS) {
    inRange(name, section[name], low, name === "maintenanceFactor" ? section.initialFactor : high);
  }
  inRange("scenarios", section.scenarios.length, 1, 128);
  section.scenarios.forEach(checkScenario);
}

/** The sections of a model: {underlying, every field, scenarios: [{spot, kind, amount, weight}]}. */
function readModel(data) {
  const cursor = new Cursor(data);
  const version = cursor.u8();
  if (version !== VERSION) refuse("BadVersion", { version });
  const sections = cursor.many(() => readSection(cursor));
  cursor.end();
  inRange("sections", sections.length, 1, 8);
  sections.forEach((section, i) => checkSection(section, i > 0 ? sections[i - 1].underlying : 0n));
  return sections;
}

/** The section of an underlying. */
function sectionOf(model, underlying) {
  return (
    model.find((section) => section.underlying === underlying) ??
    refuse("MissingModelSection", { underlying })
  );
}

/** Which charges compete with the scenarios. */
const hasBasis = (section) => section.basisBase !== 0n || section.basisPerYear !== 0n;
const hasDelta = (section) => section.deltaNet !== 0n || section.deltaHedged !== 0n;
const hasShortMinimum = (section) => section.shortMinimum !== 0n || section.shortMinimumRate !== 0n;
const chargeCount = (section) => [hasBasis, hasDelta, hasShortMinimum].filter((has) => has(section)).length;

module.exports = { readModel, sectionOf, hasBasis, hasDelta, hasShortMinimum, chargeCount };
