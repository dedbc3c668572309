// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IMarketChecker } from "./interfaces/IMarketChecker.sol";
import { IModelRegistry } from "./interfaces/IModelRegistry.sol";
import { Figures } from "./interfaces/Types.sol";
import { MarketChecker } from "./MarketChecker.sol";
import { FixedPoint } from "./libraries/FixedPoint.sol";
import { AddOns } from "./libraries/AddOns.sol";
import { Charges } from "./libraries/Charges.sol";
import { InstrumentId } from "./libraries/InstrumentId.sol";
import { MarketCodec } from "./libraries/MarketCodec.sol";
import { ModelCodec } from "./libraries/ModelCodec.sol";
import { ModelFields } from "./libraries/ModelFields.sol";
import { ModelStore } from "./libraries/ModelStore.sol";
import { Plan } from "./libraries/Plan.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Valuation } from "./libraries/Valuation.sol";

/// @title Margin, recomputed on chain to the last bit (margin.py)
contract MarginCourt is IMarginCourt {
    using ModelCodec for ModelCodec.Section;

    /// @notice Where expiries and strikes of instruments are found.
    IInstrumentRegistry public immutable instruments;
    /// @notice Where models are found.
    IModelRegistry public immutable models;
    /// @notice Whose newest market was checked when it was posted and is not checked again; zero if every market is to be checked.
    IEpochRegistry public immutable epochs;
    /// @notice What checks every other market; made with this contract.
    IMarketChecker public immutable checker;

    /// @dev Factor (WAD) x scan (E34) is 10^52; a requirement is E8.
    int256 private constant REQUIREMENT_SCALE = 10 ** 44;
    int256 private constant VALUE_SCALE = 10 ** 8;

    /// @dev One underlying: its market, its book, what add-ons are taken of and whether they need sizes of options, the expiry at hand as
    ///      quoted, the sum of what is settled and moves no more, the part of the value that is spot collateral (both E16), the position after
    ///      its last, and the quote after the one used last.
    struct Scan {
        MarketCodec.Section quotes;
        Valuation.Book book;
        AddOns.Exposure exposure;
        MarketCodec.Quote quote;
        bool needsShorts;
        int256 settled;
        int256 spot;
        uint256 next;
        uint256 nextQuote;
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
    /// @param epochs_ The epoch registry, or zero.
    constructor(IInstrumentRegistry instruments_, IModelRegistry models_, IEpochRegistry epochs_) {
        instruments = instruments_;
        models = models_;
        epochs = epochs_;
        checker = new MarketChecker();
    }

    /// @inheritdoc IMarginCourt
    function recompute(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) external view returns (Figures memory) {
        (bytes memory whole, uint256[] memory terms) = _check(modelHash, portfolio, market);
        uint256 count = PortfolioCodec.count(portfolio);
        Totals memory totals;
        bytes memory worst;
        for (uint256 i = 0; i < count;) {
            uint256 underlying = _underlyingAt(portfolio, i);
            ModelCodec.Section model = ModelCodec.section(whole, underlying);
            Scan memory scan = _scan(terms, portfolio, market, i, model, Charges.all(model));
            (uint256 index, int256 loss) = _worst(_losses(scan));
            _add(totals, scan, loss, MarketCodec.settlementToken(market));
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
        (Totals memory totals, ) = _reprice(modelHash, portfolio, market, choices);
        return _figures(totals, choices);
    }

    /// @inheritdoc IMarginCourt
    function lossesAt(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external view returns (int256[] memory found) {
        (, found) = _reprice(modelHash, portfolio, market, choices);
    }

    /// @inheritdoc IMarginCourt
    function losses(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        uint8 underlying
    ) external view returns (int256[] memory) {
        (bytes memory whole, uint256[] memory terms) = _check(modelHash, portfolio, market);
        ModelCodec.Section model = ModelCodec.section(whole, underlying);
        Plan plan = Charges.all(model);
        uint256 count = PortfolioCodec.count(portfolio);
        uint256 first = 0;
        while (first < count && _underlyingAt(portfolio, first) != underlying) ++first;
        if (first == count) return new int256[](plan.count());
        return _losses(_scan(terms, portfolio, market, first, model, plan));
    }

    /// @dev One index for each held underlying: the sums, and the loss of each (E34).
    function _reprice(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) private view returns (Totals memory totals, int256[] memory found) {
        (bytes memory whole, uint256[] memory terms) = _check(modelHash, portfolio, market);
        uint256 count = PortfolioCodec.count(portfolio);
        found = new int256[](choices.length / 2);
        uint256 chosen = 0;
        for (uint256 i = 0; i < count; chosen += 2) {
            uint256 underlying = _underlyingAt(portfolio, i);
            if (choices.length < chosen + 2 || uint8(choices[chosen]) != underlying)
                revert WrongChoices(choices);
            ModelCodec.Section model = ModelCodec.section(whole, underlying);
            Plan plan = _plan(model, uint8(choices[chosen + 1]));
            Scan memory scan = _scan(terms, portfolio, market, i, model, plan);
            int256 loss = _losses(scan)[0];
            found[chosen / 2] = loss;
            _add(totals, scan, loss, MarketCodec.settlementToken(market));
            i = scan.next;
        }
        if (choices.length != chosen) revert WrongChoices(choices);
    }

    /// @dev Checks everything that is given and looks up everything that is needed: the model's bytes, expiry and strike of every position.
    function _check(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) private view returns (bytes memory model, uint256[] memory terms) {
        PortfolioCodec.check(portfolio);
        if (!_isPosted(market)) checker.check(market);
        return (ModelStore.read(address(models), modelHash), _terms(portfolio));
    }

    /// @dev instruments.pricingTerms(portfolio), without a copy and without a check of every word: the registry is trusted.
    function _terms(bytes calldata portfolio) private view returns (uint256[] memory terms) {
        address registry = address(instruments);
        bytes4 selector = IInstrumentRegistry.pricingTerms.selector;
        // Equals terms = instruments.pricingTerms(portfolio). The result is 32, the length, the words: an array behind the offset.
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 4), 32)
            mstore(add(input, 36), portfolio.length)
            calldatacopy(add(input, 68), portfolio.offset, portfolio.length)
            terms := add(input, 32)
            let size := add(64, shl(5, div(portfolio.length, 12)))
            // Whole words: the array's end, and then the input's.
            if iszero(
                staticcall(
                    gas(),
                    registry,
                    input,
                    add(68, and(add(portfolio.length, 31), not(31))),
                    input,
                    size
                )
            ) {
                returndatacopy(input, 0, returndatasize())
                revert(input, returndatasize())
            }
            mstore(0x40, add(input, add(size, 160)))
        }
    }

    /// @dev Whether a market is that of the newest epoch, whose bytes were checked when they were posted.
    function _isPosted(bytes calldata market) private view returns (bool) {
        return address(epochs) != address(0) && MarketCodec.hash(market) == epochs.latestMarketHash();
    }

    /// @dev Sums the positions of one underlying, from position `start` on, under what the plan wants.
    function _scan(
        uint256[] memory terms,
        bytes calldata portfolio,
        bytes calldata market,
        uint256 start,
        ModelCodec.Section model,
        Plan plan
    ) private pure returns (Scan memory scan) {
        uint256 underlying = model.underlying();
        Valuation.open(scan.book, model, plan);
        MarketCodec.findInto(market, underlying, scan.quotes);
        scan.needsShorts =
            plan.hasShortMinimum() || model.has(ModelFields.NAKED_MAINTENANCE, ModelFields.NAKED_INITIAL);
        uint256 count = PortfolioCodec.count(portfolio);
        uint256 i = start;
        for (; i < count; ++i) {
            (uint256 id, int256 quantity) = PortfolioCodec.at(portfolio, i);
            if (InstrumentId.underlying(id) != underlying) break;
            if (InstrumentId.expiryIndex(id) >= InstrumentId.FIRST_EXPIRY_INDEX) break;
            _addUndated(scan, InstrumentId.isSpot(id), quantity);
        }
        while (i < count && _underlyingAt(portfolio, i) == underlying) {
            i = _addExpiry(terms, portfolio, market, i, scan);
        }
        scan.next = i;
    }

    /// @dev The loss at every index of the plan, E34.
    function _losses(Scan memory scan) private pure returns (int256[] memory) {
        return Charges.losses(scan.book, scan.exposure.shorts, scan.quotes.spot);
    }

    /// @dev Adds spot collateral or the perpetual.
    function _addUndated(Scan memory scan, bool isSpot, int256 quantity) private pure {
        uint256 size = AddOns.sizeOf(quantity);
        if (isSpot) {
            scan.spot = quantity * int256(scan.quotes.spot);
            scan.exposure.collateral = size;
            Valuation.addUndated(scan.book, scan.quotes.spot, 0, quantity);
        } else {
            scan.exposure.perpetuals = size;
            Valuation.addUndated(scan.book, scan.quotes.perpetual, scan.quotes.funding, quantity);
        }
        AddOns.addConfidence(scan.exposure, scan.book.model, scan.quotes.confidence, size);
    }

    /// @dev Adds the positions of one expiry, from position `i` on; returns the position after its last.
    function _addExpiry(
        uint256[] memory terms,
        bytes calldata portfolio,
        bytes calldata market,
        uint256 i,
        Scan memory scan
    ) private pure returns (uint256) {
        uint256 date = _term(terms, i) >> 136;
        uint256 settlement = MarketCodec.settlementPrice(market, scan.quotes, date);
        if (settlement != 0) return _addSettled(terms, portfolio, i, scan, settlement);
        // Where ids and dates increase together, the next quote is the one after the last.
        uint256 place = MarketCodec.findExpiry(market, scan.quotes, date, scan.nextQuote);
        MarketCodec.readQuote(market, scan.quotes, place, scan.quote);
        Valuation.prepare(scan.book, scan.quote, MarketCodec.time(market));
        uint256 confidence = FixedPointMathLib.min(scan.quotes.confidence, scan.quote.confidence);
        bool isUnsure = confidence < scan.book.model.natural(ModelFields.CONFIDENCE_THRESHOLD);
        uint256 size;
        unchecked {
            scan.nextQuote = place + 1;
            (i, size) = _addLive(terms, portfolio, i, scan, isUnsure || scan.needsShorts);
        }
        if (isUnsure) AddOns.addConfidence(scan.exposure, scan.book.model, confidence, size);
        Valuation.close(scan.book);
        return i;
    }

    /// @dev Adds the positions of the expiry prepared last, from position `i` on; returns the position after its last, and if sizes are needed
    ///      their sum (E8). The assembly equals, with `id` and `quantity` of the position at `at`, whose word is `word`, and its term:
    ///          (price, strike.log) = (uint64(term), uint72(term >> 64));
    ///          (calls, puts) = id is odd ? (0, quantity) : (quantity, 0);
    ///          step to the next position, and if its id is that of the put of the same strike: puts = its quantity; step again.
    ///      A future has the price zero, its quantity is that of calls. After the last position the word is zero, which is in no group.
    function _addLive(
        uint256[] memory terms,
        bytes calldata portfolio,
        uint256 i,
        Scan memory scan,
        bool needsSizes
    ) private pure returns (uint256 next, uint256 size) {
        unchecked {
            Valuation.Book memory book = scan.book;
            Valuation.Strike memory strike = book.strike;
            uint256 at;
            uint256 word;
            assembly ("memory-safe") {
                at := add(portfolio.offset, mul(i, 12))
                word := calldataload(at)
                terms := add(add(terms, 32), shl(5, i))
            }
            uint256 group = word >> 240;
            while (word >> 240 == group) {
                uint256 price;
                int256 calls;
                int256 puts;
                assembly ("memory-safe") {
                    let end := add(portfolio.offset, portfolio.length)
                    let term := mload(terms)
                    price := and(term, 0xffffffffffffffff)
                    mstore(strike, price)
                    mstore(add(strike, 0x20), and(shr(64, term), 0xffffffffffffffffff))
                    let id := shr(224, word)
                    let quantity := sar(192, shl(32, word))
                    at := add(at, 12)
                    terms := add(terms, 32)
                    word := mul(lt(at, end), calldataload(at))
                    switch and(id, 1)
                    case 0 {
                        calls := quantity
                        if eq(shr(224, word), add(id, 1)) {
                            puts := sar(192, shl(32, word))
                            at := add(at, 12)
                            terms := add(terms, 32)
                            word := mul(lt(at, end), calldataload(at))
                        }
                    }
                    default {
                        puts := quantity
                    }
                    mstore(add(strike, 0x60), puts)
                    mstore(add(strike, 0x80), calls)
                }
                if (needsSizes) size += AddOns.sizeOf(calls) + AddOns.sizeOf(puts);
                if (price != 0) {
                    if (needsSizes) AddOns.addShorts(scan.exposure, calls, puts);
                    Valuation.addStrike(book);
                } else {
                    Valuation.addFuture(book, calls);
                    scan.exposure.futures += AddOns.sizeOf(calls);
                }
            }
            assembly ("memory-safe") {
                next := div(sub(at, portfolio.offset), 12)
            }
        }
    }

    /// @dev Adds the positions of one settled expiry, from position `i` on; returns the position after its last.
    function _addSettled(
        uint256[] memory terms,
        bytes calldata portfolio,
        uint256 i,
        Scan memory scan,
        uint256 settlement
    ) private pure returns (uint256) {
        uint256 count = PortfolioCodec.count(portfolio);
        (uint256 id, int256 quantity) = PortfolioCodec.at(portfolio, i);
        uint256 group = id >> 16;
        while (id >> 16 == group) {
            uint256 strike = uint64(_term(terms, i));
            scan.settled += quantity * Valuation.settledValue(settlement, strike, InstrumentId.isPut(id));
            (id, quantity) = _atOrNone(portfolio, ++i, count);
        }
        return i;
    }

    /// @dev Expiry << 136 | logarithm << 64 | strike of position `i`, without a check: the registry gave one word per position.
    function _term(uint256[] memory terms, uint256 i) private pure returns (uint256 term) {
        assembly ("memory-safe") {
            term := mload(add(add(terms, 32), shl(5, i)))
        }
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

    /// @dev One index alone. Reverts where the model has no such index.
    function _plan(ModelCodec.Section model, uint256 index) private pure returns (Plan plan) {
        plan = Charges.one(model, index);
        if (plan.count() == 0) revert ScenarioOutOfRange(index, Charges.all(model).count());
    }

    /// @dev The greatest loss (E34) and the lowest index that has it. The assembly reads all[i] without a check.
    function _worst(int256[] memory all) private pure returns (uint256 index, int256 greatest) {
        greatest = all[0];
        unchecked {
            for (uint256 i = 1; i < all.length; ++i) {
                int256 loss;
                assembly ("memory-safe") {
                    loss := mload(add(add(all, 32), shl(5, i)))
                }
                if (loss > greatest) (index, greatest) = (i, loss);
            }
        }
    }

    /// @dev Adds one underlying with its deciding loss: factor x scan is below 2^255, add-ons below 2^244.
    function _add(Totals memory totals, Scan memory scan, int256 loss, uint256 settlementToken) private pure {
        ModelCodec.Section model = scan.book.model;
        (uint256 initial, uint256 maintenance) = AddOns.charge(scan.exposure, model, scan.quotes.spot);
        if (loss > 0) {
            initial += Charges.initialFactor(model, settlementToken) * uint256(loss);
            maintenance += model.natural(ModelFields.MAINTENANCE_FACTOR) * uint256(loss);
        }
        totals.value += scan.book.first.total + scan.settled;
        totals.spot += scan.spot;
        totals.initial += int256(initial);
        totals.maintenance += int256(maintenance);
    }

    function _figures(Totals memory totals, bytes memory choices) private pure returns (Figures memory) {
        return
            Figures(
                FixedPoint.floorDiv(totals.value, VALUE_SCALE),
                FixedPoint.floorDiv(totals.spot, VALUE_SCALE),
                uint256(FixedPoint.ceilDiv(totals.initial, REQUIREMENT_SCALE)),
                uint256(FixedPoint.ceilDiv(totals.maintenance, REQUIREMENT_SCALE)),
                choices
            );
    }
}
