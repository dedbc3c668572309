// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { Limits } from "./Limits.sol";
import { ModelFields } from "./ModelFields.sol";
import { Range } from "./Range.sol";
import { Reading } from "./Reading.sol";

/// @title Model bytes (model.py)
/// @notice Header: version u8 (2), count of sections u8. Section: underlying u8, the fields of ModelFields, i128 each, count u8, then per
///         scenario: spot multiple u64 (WAD), vol kind u8, vol added i64 (WAD), weight u64 (WAD). `check` comes first: the other functions
///         take bytes that passed it.
library ModelCodec {
    uint256 internal constant VERSION = 2;
    uint256 internal constant VOL_NONE = 0;
    uint256 internal constant VOL_UP = 1;
    uint256 internal constant VOL_DOWN = 2;
    uint256 internal constant VOL_ADD = 3;
    uint256 internal constant LINEAR_SKEW = 4;
    uint256 internal constant ABSOLUTE_SKEW = 5;

    uint256 private constant HEADER_BYTES = 2;
    uint256 private constant FIELD_BYTES = 16;
    uint256 private constant SECTION_BYTES = 2 + ModelFields.COUNT * FIELD_BYTES;
    uint256 internal constant SCENARIO_BYTES = 25;

    /// @dev The model of one underlying: where in memory its bytes start.
    type Section is uint256;

    /// @dev Spot and forward times `spot`, volatility by `kind` (plus `amount` for VOL_ADD), the change counted times `weight`; WAD.
    struct Scenario {
        uint256 spot;
        uint256 kind;
        int256 amount;
        uint256 weight;
    }

    /// @notice Refuse bytes that encode no model: BadVersion, BadLength, OutOfRange, NotIncreasing.
    function check(bytes memory model) internal pure {
        uint256 count = _checkStructure(model);
        Range.check("sections", int256(count), 1, Limits.MAX_UNDERLYINGS);
        bytes memory names = ModelFields.NAMES;
        bytes memory ranges = ModelFields.RANGES;
        uint256 offset = HEADER_BYTES;
        uint256 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            Section current = _sectionAt(model, offset);
            uint256 id = underlying(current);
            Range.check("underlying", int256(id), 1, Limits.MAX_UNDERLYING_ID);
            if (id <= previous) revert ISpecErrors.NotIncreasing(previous, id);
            previous = id;
            _checkFields(current, names, ranges);
            _checkScenarios(current);
            offset += _length(current);
        }
    }

    /// @notice The section of an underlying. Reverts with MissingModelSection(underlying).
    function section(bytes memory model, uint256 id) internal pure returns (Section current) {
        uint256 count = Reading.uint8In(model, 1);
        current = _sectionAt(model, HEADER_BYTES);
        unchecked {
            for (; count != 0; --count) {
                if (underlying(current) == id) return current;
                current = Section.wrap(Section.unwrap(current) + _length(current));
            }
        }
        revert ISpecErrors.MissingModelSection(id);
    }

    /// @notice Whose model it is.
    function underlying(Section current) internal pure returns (uint256 id) {
        assembly ("memory-safe") {
            id := byte(0, mload(current))
        }
    }

    /// @notice A field of a section, in the field's own scale.
    /// @param index One of ModelFields.
    function field(Section current, uint256 index) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            value := sar(128, mload(add(add(current, 1), shl(4, index))))
        }
    }

    /// @notice A field whose range has no negative values.
    function natural(Section current, uint256 index) internal pure returns (uint256) {
        return uint256(field(current, index));
    }

    /// @notice Whether either of two fields is not zero: how a model says that it has a charge.
    function has(Section current, uint256 one, uint256 other) internal pure returns (bool) {
        return field(current, one) | field(current, other) != 0;
    }

    /// @notice How many scenarios there are.
    function scenarioCount(Section current) internal pure returns (uint256 count) {
        uint256 at = SECTION_BYTES - 1;
        assembly ("memory-safe") {
            count := byte(0, mload(add(current, at)))
        }
    }

    /// @notice Scenario `i` of a section; `i` must be below its count.
    function scenario(Section current, uint256 i) internal pure returns (Scenario memory move) {
        uint256 at = SECTION_BYTES + i * SCENARIO_BYTES;
        uint256 word;
        assembly ("memory-safe") {
            word := mload(add(current, at))
        }
        (move.spot, move.kind, move.amount, move.weight) = split(word);
    }

    /// @notice Where in memory scenario `i` of a section starts.
    function scenarioAt(Section current, uint256 i) internal pure returns (uint256) {
        unchecked {
            return Section.unwrap(current) + SECTION_BYTES + i * SCENARIO_BYTES;
        }
    }

    /// @notice What a scenario's bytes say.
    /// @param word Their 25, and 7 that follow.
    function split(
        uint256 word
    ) internal pure returns (uint256 spot, uint256 kind, int256 amount, uint256 weight) {
        // The casts cut off what stands before.
        return (word >> 192, uint8(word >> 184), int64(uint64(word >> 120)), uint64(word >> 56));
    }

    /// @dev Version and lengths, in the order in which the bytes are read. Returns the count of sections.
    function _checkStructure(bytes memory model) private pure returns (uint256 count) {
        _require(model, 1);
        uint256 version = Reading.uint8In(model, 0);
        if (version != VERSION) revert ISpecErrors.BadVersion(version);
        _require(model, HEADER_BYTES);
        count = Reading.uint8In(model, 1);
        uint256 offset = HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            _require(model, offset + SECTION_BYTES);
            offset += _length(_sectionAt(model, offset));
            _require(model, offset);
        }
        if (offset != model.length) revert ISpecErrors.BadLength(model.length);
    }

    function _checkFields(Section current, bytes memory names, bytes memory ranges) private pure {
        for (uint256 i = 0; i < ModelFields.COUNT; ++i) {
            int256 low = Reading.int128In(ranges, i * 32);
            int256 high =
                i == ModelFields.MAINTENANCE_FACTOR
                    ? field(current, ModelFields.INITIAL_FACTOR)
                    : Reading.int128In(ranges, i * 32 + 16);
            int256 value = field(current, i);
            if (value < low || value > high) Range.check(_name(names, i), value, low, high);
        }
    }

    function _checkScenarios(Section current) private pure {
        Range.check("scenarios", int256(scenarioCount(current)), 1, Limits.MAX_SCENARIOS);
        for (uint256 s = 0; s < scenarioCount(current); ++s) {
            Scenario memory move = scenario(current, s);
            Range.check("spotShock", int256(move.spot), Limits.MIN_SPOT_SHOCK, Limits.MAX_SPOT_SHOCK);
            Range.check("volKind", int256(move.kind), 0, int256(ABSOLUTE_SKEW));
            int256 limit = move.kind == VOL_ADD ? Limits.MAX_VOL_ADD : int256(0);
            Range.check("volAdd", move.amount, -limit, limit);
            Range.check("weight", int256(move.weight), 0, Limits.MAX_WEIGHT);
        }
    }

    /// @dev The name of field `i`, without the blanks behind it.
    function _name(bytes memory names, uint256 i) private pure returns (bytes32 result) {
        for (uint256 at = 0; at < ModelFields.NAME_BYTES; ++at) {
            bytes1 letter = names[i * ModelFields.NAME_BYTES + at];
            if (letter == " ") break;
            result |= bytes32(letter) >> (8 * at);
        }
    }

    function _sectionAt(bytes memory model, uint256 offset) private pure returns (Section current) {
        assembly ("memory-safe") {
            current := add(add(model, 32), offset)
        }
    }

    function _length(Section current) private pure returns (uint256) {
        unchecked {
            return SECTION_BYTES + scenarioCount(current) * SCENARIO_BYTES;
        }
    }

    function _require(bytes memory model, uint256 length) private pure {
        if (model.length < length) revert ISpecErrors.BadLength(model.length);
    }
}
