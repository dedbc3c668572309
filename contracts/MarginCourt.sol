// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IModelRegistry } from "./interfaces/IModelRegistry.sol";
import { Figures } from "./interfaces/Types.sol";
import { FixedPoint } from "./libraries/FixedPoint.sol";
import { Gaussian, TailTable } from "./libraries/Gaussian.sol";
import { InstrumentId } from "./libraries/InstrumentId.sol";
import { MarketCodec } from "./libraries/MarketCodec.sol";
import { ModelCodec } from "./libraries/ModelCodec.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Valuation } from "./libraries/Valuation.sol";

/// @title Margin, recomputed on chain to the last bit (margin.py)
contract MarginCourt is IMarginCourt {
    /// @notice Where expiries and strikes of instruments are found.
    IInstrumentRegistry public immutable instruments;
    /// @notice Where models are found.
    IModelRegistry public immutable models;

    /// @dev Factor (WAD) x scan (E34) is 10^52; a requirement is E8.
    int256 private constant REQUIREMENT_SCALE = 10 ** 44;
    int256 private constant VALUE_SCALE = 10 ** 8;

    /// @dev What all underlyings of one call share: model bytes, expiry and strike of every position, Gaussian coefficients.
    struct Shared {
        bytes model;
        uint256[] terms;
        TailTable table;
    }

    /// @dev One underlying: its model, one column per move (the first is the market as it stands), the sum of what is settled and moves
    ///      no more, the part of the value that is spot collateral (both E16), the position after its last.
    struct Scan {
        ModelCodec.Section model;
        Valuation.Column[] columns;
        int256 settled;
        int256 spot;
        uint256 next;
    }

    /// @dev Sums over underlyings: values E16, requirements 10^52.
    struct Totals {
        int256 value;
        int256 spot;
        int256 initial;
        int256 maintenance;
    }

    /// @param instruments_ The instrument registry.
    /// @param models_ The model registry.
    constructor(IInstrumentRegistry instruments_, IModelRegistry models_) {
        instruments = instruments_;
        models = models_;
    }

    /// @inheritdoc IMarginCourt
    function recompute(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) external view returns (Figures memory) {
        Shared memory shared = _check(modelHash, portfolio, market);
        uint256 count = PortfolioCodec.count(portfolio);
        Totals memory totals;
        bytes memory worst;
        for (uint256 i = 0; i < count;) {
            uint256 underlying = _underlyingAt(portfolio, i);
            ModelCodec.Section memory model = ModelCodec.section(shared.model, underlying);
            Scan memory scan = _scan(shared, portfolio, market, i, model, 0, model.scenarioCount);
            (uint256 index, int256 loss) = _worst(scan);
            _add(totals, scan, loss);
            worst = bytes.concat(worst, bytes1(uint8(underlying)), bytes1(uint8(index)));
            i = scan.next;
        }
        return _figures(totals, worst);
    }

    /// @inheritdoc IMarginCourt
    function repriceScenario(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external view returns (Figures memory) {
        Shared memory shared = _check(modelHash, portfolio, market);
        uint256 count = PortfolioCodec.count(portfolio);
        Totals memory totals;
        uint256 chosen = 0;
        for (uint256 i = 0; i < count; chosen += 2) {
            uint256 underlying = _underlyingAt(portfolio, i);
            if (choices.length < chosen + 2 || uint8(choices[chosen]) != underlying)
                revert WrongChoices(choices);
            ModelCodec.Section memory model = ModelCodec.section(shared.model, underlying);
            uint256 index = uint8(choices[chosen + 1]);
            if (index >= model.scenarioCount) revert ScenarioOutOfRange(index, model.scenarioCount);
            Scan memory scan = _scan(shared, portfolio, market, i, model, index, 1);
            _add(totals, scan, _loss(scan, 0));
            i = scan.next;
        }
        if (choices.length != chosen) revert WrongChoices(choices);
        return _figures(totals, choices);
    }

    /// @inheritdoc IMarginCourt
    function losses(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        uint8 underlying
    ) external view returns (int256[] memory result) {
        Shared memory shared = _check(modelHash, portfolio, market);
        ModelCodec.Section memory model = ModelCodec.section(shared.model, underlying);
        result = new int256[](model.scenarioCount);
        uint256 count = PortfolioCodec.count(portfolio);
        uint256 first = 0;
        while (first < count && _underlyingAt(portfolio, first) != underlying) ++first;
        if (first == count) return result;
        Scan memory scan = _scan(shared, portfolio, market, first, model, 0, model.scenarioCount);
        for (uint256 s = 0; s < result.length; ++s) result[s] = _loss(scan, s);
    }

    /// @dev Checks everything that is given and looks up everything that is needed.
    function _check(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) private view returns (Shared memory) {
        PortfolioCodec.check(portfolio);
        MarketCodec.validate(market);
        return Shared(models.modelBytes(modelHash), instruments.terms(portfolio), Gaussian.load());
    }

    /// @dev Sums the positions of one underlying, from position `start` on, as things stand and in `scenarios` scenarios from
    ///      scenario `first` on.
    function _scan(
        Shared memory shared,
        bytes calldata portfolio,
        bytes calldata market,
        uint256 start,
        ModelCodec.Section memory model,
        uint256 first,
        uint256 scenarios
    ) private pure returns (Scan memory scan) {
        scan.model = model;
        scan.columns = Valuation.columns(shared.model, model, first, scenarios);
        MarketCodec.Section memory section = MarketCodec.find(market, model.underlying);
        uint256 count = PortfolioCodec.count(portfolio);
        uint256 i = start;
        for (; i < count; ++i) {
            (uint256 id, int256 quantity) = PortfolioCodec.at(portfolio, i);
            if (InstrumentId.underlying(id) != model.underlying) break;
            if (InstrumentId.expiryIndex(id) >= InstrumentId.FIRST_EXPIRY_INDEX) break;
            if (InstrumentId.isSpot(id)) scan.spot = quantity * int256(section.spot);
            int256 funding = InstrumentId.isSpot(id) ? int256(0) : section.funding;
            Valuation.addUndated(scan.columns, section.spot, funding, quantity);
        }
        while (i < count && _underlyingAt(portfolio, i) == model.underlying) {
            i = _addExpiry(shared, portfolio, market, i, scan, section);
        }
        scan.next = i;
    }

    /// @dev Adds the positions of one expiry, from position `i` on; returns the position after its last.
    function _addExpiry(
        Shared memory shared,
        bytes calldata portfolio,
        bytes calldata market,
        uint256 i,
        Scan memory scan,
        MarketCodec.Section memory section
    ) private pure returns (uint256) {
        uint256 settlement = MarketCodec.settlementPrice(market, section, shared.terms[i] >> 64);
        if (settlement != 0) return _addSettled(shared, portfolio, i, scan, settlement);
        uint256 live = MarketCodec.findExpiry(market, section, shared.terms[i] >> 64);
        Valuation.Expiry memory expiry = Valuation.prepare(
            scan.columns,
            scan.model,
            MarketCodec.quote(market, section, live),
            MarketCodec.time(market)
        );
        uint256 count = PortfolioCodec.count(portfolio);
        (uint256 id, int256 quantity) = PortfolioCodec.at(portfolio, i);
        uint256 group = id >> 16;
        // Unchecked: `i` counts positions, at most 128; one of `calls` and `puts` is the quantity, the other zero.
        unchecked {
            while (id >> 16 == group) {
                uint256 strike = uint64(shared.terms[i]);
                int256 calls = InstrumentId.isPut(id) ? int256(0) : quantity;
                int256 puts = quantity - calls;
                uint256 put = id | 1;
                (id, quantity) = _atOrNone(portfolio, ++i, count);
                if (strike == 0) {
                    Valuation.addFuture(scan.columns, calls);
                    continue;
                }
                // The put of the same strike stands right after its call.
                if (id == put) {
                    puts = quantity;
                    (id, quantity) = _atOrNone(portfolio, ++i, count);
                }
                Valuation.addOptions(scan.columns, expiry, strike, calls, puts, shared.table);
            }
        }
        return i;
    }

    /// @dev Adds the positions of one settled expiry, from position `i` on; returns the position after its last.
    function _addSettled(
        Shared memory shared,
        bytes calldata portfolio,
        uint256 i,
        Scan memory scan,
        uint256 settlement
    ) private pure returns (uint256) {
        uint256 count = PortfolioCodec.count(portfolio);
        (uint256 id, int256 quantity) = PortfolioCodec.at(portfolio, i);
        uint256 group = id >> 16;
        while (id >> 16 == group) {
            uint256 strike = uint64(shared.terms[i]);
            scan.settled += quantity * Valuation.settledValue(settlement, strike, InstrumentId.isPut(id));
            (id, quantity) = _atOrNone(portfolio, ++i, count);
        }
        return i;
    }

    /// @dev Position `i`, or the id 0, which no portfolio holds, after the last.
    function _atOrNone(
        bytes calldata portfolio,
        uint256 i,
        uint256 count
    ) private pure returns (uint256 id, int256 quantity) {
        if (i < count) return PortfolioCodec.at(portfolio, i);
    }

    function _underlyingAt(bytes calldata portfolio, uint256 i) private pure returns (uint256) {
        (uint256 id, ) = PortfolioCodec.at(portfolio, i);
        return InstrumentId.underlying(id);
    }

    /// @dev The loss of scenario `s` (of those scanned), E34: below 2^117 x 2^60.
    function _loss(Scan memory scan, uint256 s) private pure returns (int256) {
        Valuation.Column memory column = scan.columns[s + 1];
        return int256(column.weight) * (scan.columns[0].sum - column.sum);
    }

    /// @dev The greatest loss (E34) and the lowest index that has it.
    function _worst(Scan memory scan) private pure returns (uint256 index, int256 greatest) {
        greatest = _loss(scan, 0);
        for (uint256 s = 1; s + 1 < scan.columns.length; ++s) {
            int256 loss = _loss(scan, s);
            if (loss > greatest) (index, greatest) = (s, loss);
        }
    }

    function _add(Totals memory totals, Scan memory scan, int256 loss) private pure {
        totals.value += scan.columns[0].sum + scan.settled;
        totals.spot += scan.spot;
        if (loss > 0) {
            totals.initial += int256(scan.model.initialFactor) * loss;
            totals.maintenance += int256(scan.model.maintenanceFactor) * loss;
        }
    }

    function _figures(Totals memory totals, bytes memory scenarios) private pure returns (Figures memory) {
        return
            Figures(
                FixedPoint.floorDiv(totals.value, VALUE_SCALE),
                FixedPoint.floorDiv(totals.spot, VALUE_SCALE),
                uint256(FixedPoint.ceilDiv(totals.initial, REQUIREMENT_SCALE)),
                uint256(FixedPoint.ceilDiv(totals.maintenance, REQUIREMENT_SCALE)),
                scenarios
            );
    }
}
