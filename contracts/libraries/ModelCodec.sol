// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { Limits } from "./Limits.sol";
import { Range } from "./Range.sol";
import { Reading } from "./Reading.sol";

/// @title Model bytes (model.py)
/// @notice Header: version u8 (1), count of sections u8. Section: underlying u8, seven u64 in WAD, floor in seconds u32, count u8, then per
///         scenario: spot multiple u64 (WAD), vol kind u8, weight u64 (WAD). `check` comes first: `section` and `scenario` take bytes that passed it.
library ModelCodec {
    uint256 internal constant VERSION = 1;
    uint256 internal constant VOL_NONE = 0;
    uint256 internal constant VOL_UP = 1;
    uint256 internal constant VOL_DOWN = 2;

    uint256 private constant HEADER_BYTES = 2;
    uint256 private constant SECTION_BYTES = 62;
    uint256 private constant SCENARIO_BYTES = 17;

    /// @dev The model of one underlying; factors, vol parameters and powers in WAD, the floor of time to expiry in seconds;
    ///      how many scenarios it has and at which offset of the bytes they start.
    struct Section {
        uint256 underlying;
        uint256 initialFactor;
        uint256 maintenanceFactor;
        uint256 volUp;
        uint256 volDown;
        uint256 minVolUp;
        uint256 powerShort;
        uint256 powerLong;
        uint256 floorSeconds;
        uint256 scenarioCount;
        uint256 scenariosAt;
    }

    /// @dev Spot and forward times `spot`, volatility by `kind`, the change counted times `weight`; WAD.
    struct Scenario {
        uint256 spot;
        uint256 kind;
        uint256 weight;
    }

    /// @notice Refuse bytes that encode no model: BadVersion, BadLength, OutOfRange, NotIncreasing.
    function check(bytes memory model) internal pure {
        uint256 count = _checkStructure(model);
        Range.check("sections", int256(count), 1, Limits.MAX_UNDERLYINGS);
        uint256 offset = HEADER_BYTES;
        uint256 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            Section memory current = _sectionAt(model, offset);
            Range.check("underlying", int256(current.underlying), 1, Limits.MAX_UNDERLYING_ID);
            if (current.underlying <= previous)
                revert ISpecErrors.NotIncreasing(previous, current.underlying);
            previous = current.underlying;
            _checkSection(model, current);
            offset = _end(current);
        }
    }

    /// @notice The section of an underlying. Reverts with MissingModelSection(underlying).
    function section(bytes memory model, uint256 underlying) internal pure returns (Section memory current) {
        uint256 count = Reading.uint8In(model, 1);
        uint256 offset = HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            current = _sectionAt(model, offset);
            if (current.underlying == underlying) return current;
            offset = _end(current);
        }
        revert ISpecErrors.MissingModelSection(underlying);
    }

    /// @notice Scenario `i` of a section; `i` must be below its count.
    function scenario(
        bytes memory model,
        Section memory current,
        uint256 i
    ) internal pure returns (Scenario memory) {
        unchecked {
            uint256 offset = current.scenariosAt + i * SCENARIO_BYTES;
            return
                Scenario(
                    Reading.uint64In(model, offset),
                    Reading.uint8In(model, offset + 8),
                    Reading.uint64In(model, offset + 9)
                );
        }
    }

    /// @dev Version, lengths and vol kinds, in the order in which the bytes are read. Returns the count of sections.
    function _checkStructure(bytes memory model) private pure returns (uint256 count) {
        _require(model, 1);
        uint256 version = Reading.uint8In(model, 0);
        if (version != VERSION) revert ISpecErrors.BadVersion(version);
        _require(model, HEADER_BYTES);
        count = Reading.uint8In(model, 1);
        uint256 offset = HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            _require(model, offset + SECTION_BYTES);
            uint256 scenarioCount = Reading.uint8In(model, offset + SECTION_BYTES - 1);
            offset += SECTION_BYTES;
            for (uint256 s = 0; s < scenarioCount; ++s) {
                _require(model, offset + SCENARIO_BYTES);
                Range.check("volKind", int256(Reading.uint8In(model, offset + 8)), 0, int256(VOL_DOWN));
                offset += SCENARIO_BYTES;
            }
        }
        if (offset != model.length) revert ISpecErrors.BadLength(model.length);
    }

    function _checkSection(bytes memory model, Section memory current) private pure {
        Range.check("initialFactor", int256(current.initialFactor), 0, Limits.MAX_FACTOR);
        Range.check("maintenanceFactor", int256(current.maintenanceFactor), 0, int256(current.initialFactor));
        Range.check("volUp", int256(current.volUp), 0, Limits.MAX_VOL_UP);
        Range.check("volDown", int256(current.volDown), 0, Limits.MAX_VOL_DOWN);
        Range.check("minVolUp", int256(current.minVolUp), 0, Limits.MAX_MIN_VOL_UP);
        Range.check("powerShort", int256(current.powerShort), 0, Limits.MAX_POWER);
        Range.check("powerLong", int256(current.powerLong), 0, Limits.MAX_POWER);
        int256 floorSeconds = int256(current.floorSeconds);
        Range.check("floorSeconds", floorSeconds, Limits.MIN_FLOOR_SECONDS, Limits.MAX_FLOOR_SECONDS);
        Range.check("scenarios", int256(current.scenarioCount), 1, Limits.MAX_SCENARIOS);
        for (uint256 s = 0; s < current.scenarioCount; ++s) {
            Scenario memory move = scenario(model, current, s);
            Range.check("spotShock", int256(move.spot), Limits.MIN_SPOT_SHOCK, Limits.MAX_SPOT_SHOCK);
            Range.check("weight", int256(move.weight), 0, Limits.MAX_WEIGHT);
        }
    }

    function _sectionAt(bytes memory model, uint256 offset) private pure returns (Section memory) {
        unchecked {
            return
                Section({
                    underlying: Reading.uint8In(model, offset),
                    initialFactor: Reading.uint64In(model, offset + 1),
                    maintenanceFactor: Reading.uint64In(model, offset + 9),
                    volUp: Reading.uint64In(model, offset + 17),
                    volDown: Reading.uint64In(model, offset + 25),
                    minVolUp: Reading.uint64In(model, offset + 33),
                    powerShort: Reading.uint64In(model, offset + 41),
                    powerLong: Reading.uint64In(model, offset + 49),
                    floorSeconds: Reading.uint32In(model, offset + 57),
                    scenarioCount: Reading.uint8In(model, offset + 61),
                    scenariosAt: offset + SECTION_BYTES
                });
        }
    }

    function _end(Section memory current) private pure returns (uint256) {
        unchecked {
            return current.scenariosAt + current.scenarioCount * SCENARIO_BYTES;
        }
    }

    function _require(bytes memory model, uint256 length) private pure {
        if (model.length < length) revert ISpecErrors.BadLength(model.length);
    }
}
