"use strict";
// Ordered tree, EIP-712 hashes, and secp256k1 signatures.

const { refuse } = require("./numbers.js");
const { keccak } = require("./keccak.js");
const { toHex } = require("./codecs.js");

const EMPTY_LEAF = keccak(Buffer.from("marginproof.empty-leaf"));
const pair = (left, right) => keccak(Buffer.concat([left, right]));

// ---- tree

function depth(count) {
  let levels = 0n;
  while (1n << levels < count) levels++;
  if (levels > 40n) refuse("TooManyLeaves", { count });
  return Number(levels);
}

/** Every level of the full tree, padding included. */
function treeLevels(leaves) {
  const levels = [[...leaves]];
  while (levels[0].length < 2 ** depth(BigInt(leaves.length))) levels[0].push(EMPTY_LEAF);
  while (levels.at(-1).length > 1) {
    const below = levels.at(-1);
    levels.push(Array.from({ length: below.length / 2 }, (_, i) => pair(below[2 * i], below[2 * i + 1])));
  }
  return levels;
}

const root = (leaves) => treeLevels(leaves).at(-1)[0];

function proof(leaves, index) {
  if (index >= BigInt(leaves.length)) refuse("LeafOutOfRange", { index, count: leaves.length });
  const levels = treeLevels(leaves);
  return levels.slice(0, -1).map((row, height) => row[(Number(index) >> height) ^ 1]);
}

function verify(leaf, index, count, siblings, expected) {
  if (index >= count) refuse("LeafOutOfRange", { index, count });
  const levels = depth(count);
  if (siblings.length !== levels) refuse("BadProofLength", { length: siblings.length, depth: levels });
  let node = leaf;
  siblings.forEach((sibling, height) => {
    node = (index >> BigInt(height)) & 1n ? pair(sibling, node) : pair(node, sibling);
  });
  if (!node.equals(expected)) refuse("WrongRoot", { root: toHex(node), expected: toHex(expected) });
}

// ---- EIP-712

const TYPES = {
  EIP712Domain: [
    ["string", "name"],
    ["string", "version"],
    ["uint256", "chainId"],
    ["address", "verifyingContract"],
  ],
  EpochHeader: [
    ["uint64", "round"],
    ["uint64", "time"],
    ["uint64", "blockNumber"],
    ["bytes32", "blockHash"],
    ["uint64", "validUntil"],
    ["bytes32", "modelHash"],
    ["bytes32", "marketHash"],
    ["bytes32", "leafRoot"],
    ["uint64", "leafCount"],
  ],
  Leaf: [
    ["uint64", "account"],
    ["bytes32", "portfolioHash"],
    ["int256", "portfolioValue"],
    ["int256", "spotValue"],
    ["uint256", "initialMargin"],
    ["uint256", "maintenanceMargin"],
    ["bytes", "worstScenarios"],
  ],
  Order: [
    ["uint64", "account"],
    ["uint32", "instrument"],
    ["int64", "quantity"],
    ["int64", "price"],
    ["uint64", "nonce"],
    ["uint64", "deadline"],
  ],
};

const word = (value) => Buffer.from(BigInt.asUintN(256, BigInt(value)).toString(16).padStart(64, "0"), "hex");

function encodeField(type, value) {
  if (type === "string") return keccak(Buffer.from(value));
  if (type === "bytes") return keccak(Buffer.from(value.slice(2), "hex"));
  return word(value);
}

function structHash(name, values) {
  const signature = `${name}(${TYPES[name].map((field) => field.join(" ")).join(",")})`;
  const fields = TYPES[name].map(([type, field]) => encodeField(type, values[field]));
  return keccak(Buffer.concat([keccak(Buffer.from(signature)), ...fields]));
}

const domainSeparator = ({ chainId, contract }) =>
  structHash("EIP712Domain", { name: "marginproof", version: "1", chainId, verifyingContract: contract });

const digest = (domain, hash) =>
  keccak(Buffer.concat([Buffer.from([0x19, 0x01]), domainSeparator(domain), hash]));

// ---- secp256k1: y^2 = x^3 + 7

const FIELD = 2n ** 256n - 2n ** 32n - 977n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const GENERATOR = [
  0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
];

const mod = (a, m) => ((a % m) + m) % m;

function inverse(a, m) {
  let [r0, r1, s0, s1] = [mod(a, m), m, 1n, 0n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1, s0, s1] = [r1, r0 - quotient * r1, s1, s0 - quotient * s1];
  }
  return mod(s0, m);
}

function powerMod(base, exponent, m) {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = (base * base) % m)
    if (exponent & 1n) result = (result * base) % m;
  return result;
}

function add(p, q) {
  if (p === null || q === null) return p ?? q;
  if (p[0] === q[0] && mod(p[1] + q[1], FIELD) === 0n) return null;
  const slope =
    p[0] === q[0]
      ? mod(3n * p[0] * p[0] * inverse(2n * p[1], FIELD), FIELD)
      : mod((q[1] - p[1]) * inverse(q[0] - p[0], FIELD), FIELD);
  const x = mod(slope * slope - p[0] - q[0], FIELD);
  return [x, mod(slope * (p[0] - x) - p[1], FIELD)];
}

function multiply(point, scalar) {
  let result = null;
  for (; scalar > 0n; scalar >>= 1n, point = add(point, point)) if (scalar & 1n) result = add(result, point);
  return result;
}

/** The signer of a 65-byte signature (r, s, v), low s only, as 20 bytes. */
function recover(hash, signature, index) {
  const bad = () => refuse("BadSignature", { index });
  const r = BigInt(toHex(signature.subarray(0, 32)));
  const s = BigInt(toHex(signature.subarray(32, 64)));
  const v = signature[64];
  if ((v !== 27 && v !== 28) || r === 0n || r >= ORDER || s === 0n || s > ORDER / 2n) bad();
  const square = mod(r * r * r + 7n, FIELD);
  let y = powerMod(square, (FIELD + 1n) / 4n, FIELD);
  if ((y * y) % FIELD !== square) bad();
  if (Number(y & 1n) !== v - 27) y = FIELD - y;
  const byR = inverse(r, ORDER);
  const key = add(
    multiply(GENERATOR, mod(-BigInt(toHex(hash)) * byR, ORDER)),
    multiply([r, y], mod(s * byR, ORDER)),
  );
  if (key === null) bad();
  return keccak(Buffer.concat(key.map(word))).subarray(12);
}

function quorum(hash, signatures, attesters, threshold) {
  if (signatures.length % 65 !== 0) refuse("WrongSignatureLength", { length: signatures.length });
  const count = signatures.length / 65;
  if (count !== threshold) refuse("WrongSignatureCount", { count, threshold });
  const signers = [];
  for (let index = 0; index < count; index++) {
    const previous = signers.at(-1) ?? "0x" + "00".repeat(20);
    const signer = toHex(recover(hash, signatures.subarray(65 * index, 65 * index + 65), index));
    if (signer <= previous) refuse("SignersNotIncreasing", { previous, signer });
    if (!attesters.includes(signer)) refuse("NotAttester", { signer });
    signers.push(signer);
  }
  return signers;
}

module.exports = { depth, root, proof, verify, structHash, domainSeparator, digest, recover, quorum };
