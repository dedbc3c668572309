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
import { AbridgedMarket } from "./libraries/AbridgedMarket.sol";
import { FixedPoint } from "./libraries/FixedPoint.sol";
import { AddOns } from "./libraries/AddOns.sol";
import { Charges } from "./libraries/Charges.sol";
import { InstrumentId } from "./libraries/InstrumentId.sol";
import { MarketCodec } from "./libraries/MarketCodec.sol";
import { MarketHash } from "./libraries/MarketHash.sol";
import { MarketWords } from "./libraries/MarketWords.sol";
import { ModelCodec } from "./libraries/ModelCodec.sol";
import { ModelFields } from "./libraries/ModelFields.sol";
import { ModelStore } from "./libraries/ModelStore.sol";
import { PackedRepricing } from "./libraries/PackedRepricing.sol";
import { Plan } from "./libraries/Plan.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Reading } from "./libraries/Reading.sol";
import { Terms } from "./libraries/Terms.sol";
import { Valuation } from "./libraries/Valuation.sol";

/// @title Margin, recomputed on chain to the last bit (margin.py)
contract MarginCourt is IMarginCourt {
    using ModelCodec for ModelCodec.Section;
    using Terms for Terms.Known;

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

    /// @dev One call: the underlying at hand with its market, its book and what add-ons are taken of; where in the calldata the next position is
    ///      and where the last one ends, where in memory the next one's term is; whether add-ons need what is short, whether the expiry's
    ///      sizes, and their sum (E8); and the sums over underlyings: values (E16), requirements (10^52).
    struct Scan {
        AbridgedMarket.Section quotes;
        Valuation.Book book;
        AddOns.Exposure exposure;
        uint256 at;
        uint256 end;
        uint256 termAt;
        bool needsShorts;
        bool needsSizes;
        uint256 size;
        int256 value;
        int256 spot;
        int256 initial;
        int256 maintenance;
    }

    /// @dev A copy of what the instrument registry knows, as old as the last `syncInstruments`.
    mapping(uint256 underlying => Terms.Known) private _known;

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
    function syncInstruments(uint8 underlying) external {
        Terms.Known storage known = _known[underlying];
        uint256 before = known.head;
        uint256 start = Terms.openWord(before);
        (uint256 head, uint256[] memory words) = instruments.packedTerms(underlying, start);
        if (head == before) return;
        known.copy(head, start, words);
        emit InstrumentsSynced(underlying, Terms.expiryCount(head), Terms.strikeCount(head));
    }

    /// @inheritdoc IMarginCourt
    function syncedInstruments(
        uint8 underlying
    ) external view returns (bool exists, uint256 expiries, uint256 strikes) {
        uint256 head = _known[underlying].head;
        return (head != 0, Terms.expiryCount(head), Terms.strikeCount(head));
    }

    /// @inheritdoc IMarginCourt
    function recompute(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) external view returns (Figures memory figures) {
        (Scan[] memory one, bytes memory model) = _begin(modelHash, portfolio, market);
        Scan memory scan = one[0];
        bytes memory worst;
        while (scan.at < scan.end) {
            uint256 underlying = _underlying(scan);
            ModelCodec.Section section = ModelCodec.section(model, underlying);
            _scan(scan, market, section, Charges.all(section));
            (uint256 index, int256 loss) = _worst(_losses(scan));
            _add(scan, loss, MarketCodec.settlementToken(market));
            worst = bytes.concat(worst, bytes1(uint8(underlying)), bytes1(uint8(index)));
        }
        (figures.portfolioValue, figures.spotValue, figures.initialMargin, figures.maintenanceMargin) = _sums(
            scan
        );
        figures.worstScenarios = worst;
    }

    /// @inheritdoc IMarginCourt
    function repriceScenario(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external view returns (Figures calldata) {
        return _answer(modelHash, portfolio, market, choices);
    }

    /// @inheritdoc IMarginCourt
    function repriceCompact(bytes calldata packed) external view returns (Figures calldata) {
        (
            bytes32 modelHash,
            bytes calldata portfolio,
            bytes calldata choices,
            bytes calldata market
        ) = PackedRepricing.split(packed);
        return _answer(modelHash, portfolio, market, choices);
    }

    /// @inheritdoc IMarginCourt
    function lossesAt(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external view returns (int256[] memory found) {
        found = new int256[](choices.length / 2);
        _reprice(modelHash, portfolio, market, choices, found);
    }

    /// @inheritdoc IMarginCourt
    function losses(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        uint8 underlying
    ) external view returns (int256[] memory) {
        (Scan[] memory one, bytes memory model) = _begin(modelHash, portfolio, market);
        Scan memory scan = one[0];
        ModelCodec.Section section = ModelCodec.section(model, underlying);
        Plan plan = Charges.all(section);
        for (; scan.at < scan.end; _step(scan)) {
            if (_underlying(scan) != underlying) continue;
            _scan(scan, market, section, plan);
            return _losses(scan);
        }
        return new int256[](plan.count());
    }

    /// @dev One repricing, which ends the call. The figures are in calldata only because figures in memory would be allocated.
    function _answer(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) private view returns (Figures calldata figures) {
        int256[] memory none;
        Scan[] memory one = _reprice(modelHash, portfolio, market, choices, none);
        figures = _returnFigures(one[0], choices);
    }

    /// @dev One index for each held underlying: the sums, and in `found`, unless it is empty, the loss of each (E34).
    function _reprice(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices,
        int256[] memory found
    ) private view returns (Scan[] memory one) {
        bytes memory model;
        (one, model) = _begin(modelHash, portfolio, market);
        Scan memory scan = one[0];
        uint256 chosen = 0;
        while (scan.at < scan.end) {
            uint256 underlying = _underlying(scan);
            uint256 index = _indexAt(choices, chosen, underlying);
            ModelCodec.Section section = ModelCodec.section(model, underlying);
            _scan(scan, market, section, _plan(section, index));
            int256 loss = Charges.loss(scan.book, scan.exposure.shorts, MarketWords.spot(scan.quotes.prices));
            if (found.length != 0) found[chosen] = loss;
            _add(scan, loss, MarketCodec.settlementToken(market));
            unchecked {
                ++chosen;
            }
        }
        if (choices.length != 2 * chosen) revert WrongChoices(choices);
    }

    /// @dev The index chosen for an underlying, which is the one held after so many others.
    function _indexAt(
        bytes calldata choices,
        uint256 place,
        uint256 underlying
    ) private pure returns (uint256) {
        unchecked {
            uint256 choice = Reading.wordAt(choices, 2 * place) >> 240;
            if (choices.length < 2 * place + 2 || choice >> 8 != underlying) revert WrongChoices(choices);
            return uint8(choice);
        }
    }

    /// @dev Checks everything that is given and looks up everything that is needed: the model's bytes, expiry and strike of every position.
    ///      The scan, in an array because one that is returned by itself would be made twice, stands before the first position.
    function _begin(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) private view returns (Scan[] memory one, bytes memory model) {
        one = _scans();
        PortfolioCodec.check(portfolio);
        if (!_isPosted(market)) checker.check(market);
        model = ModelStore.read(address(models), modelHash);
        uint256[] memory terms = _terms(portfolio);
        Scan memory scan = one[0];
        assembly ("memory-safe") {
            mstore(add(scan, 0x60), portfolio.offset)
            mstore(add(scan, 0x80), add(portfolio.offset, portfolio.length))
            mstore(add(scan, 0xa0), add(terms, 32))
        }
    }

    /// @dev Equals one = new Scan[](1), which would clear each field of each struct by itself: it comes before anything else is written behind the
    ///      free pointer, where memory is zero for so long. In memory follow each other: length, pointer, scan (13 words), quotes (4), book
    ///      (11), its expiry (6), that one's smile (5), strike (6), exposure (6).
    function _scans() private pure returns (Scan[] memory one) {
        assembly ("memory-safe") {
            one := mload(0x40)
            mstore(one, 1)
            let scan := add(one, 0x40)
            mstore(add(one, 0x20), scan)
            mstore(0x40, add(scan, 0x660))
            mstore(scan, add(scan, 0x1a0))
            mstore(add(scan, 0x20), add(scan, 0x220))
            mstore(add(scan, 0x40), add(scan, 0x5a0))
            mstore(add(scan, 0x340), add(scan, 0x380))
            mstore(add(scan, 0x360), add(scan, 0x4e0))
            mstore(add(scan, 0x3e0), add(scan, 0x440))
        }
    }

    /// @dev instruments.pricingTerms(portfolio), from the court's copy; the registry is asked only if that does not know every instrument.
    function _terms(bytes calldata portfolio) private view returns (uint256[] memory terms) {
        uint256 left;
        (terms, left) = Terms.read(_known, address(instruments), portfolio);
        if (left != 0) terms = instruments.pricingTerms(portfolio);
    }

    /// @dev Whether a market is that of the newest epoch, whose bytes were checked when they were posted. The assembly equals
    ///      posted = epochs.latestMarketHash().
    function _isPosted(bytes calldata market) private view returns (bool) {
        address registry = address(epochs);
        if (registry == address(0)) return false;
        bytes4 selector = IEpochRegistry.latestMarketHash.selector;
        bytes32 posted;
        assembly ("memory-safe") {
            mstore(0, selector)
            if iszero(and(gt(returndatasize(), 31), staticcall(gas(), registry, 0, 4, 0, 32))) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
            posted := mload(0)
        }
        (bool fits, bytes32 given) = MarketHash.abridged(market);
        return fits && given == posted;
    }

    /// @dev Sums the positions of one underlying under what the plan wants, from the scan's position on.
    function _scan(
        Scan memory scan,
        bytes calldata market,
        ModelCodec.Section model,
        Plan plan
    ) private pure {
        uint256 underlying = model.underlying();
        Valuation.open(scan.book, model, plan);
        AbridgedMarket.find(market, underlying, scan.quotes);
        AddOns.Exposure memory exposure = scan.exposure;
        assembly ("memory-safe") {
            calldatacopy(exposure, calldatasize(), 0xc0)
        }
        scan.needsShorts =
            plan.hasShortMinimum() || model.has(ModelFields.NAKED_MAINTENANCE, ModelFields.NAKED_INITIAL);
        while (scan.at < scan.end && _underlying(scan) == underlying) {
            if (InstrumentId.expiryIndex(_word(scan) >> 224) < InstrumentId.FIRST_EXPIRY_INDEX)
                _addUndated(scan);
            else _addExpiry(scan, market);
        }
    }

    /// @dev The loss at every index of the plan, E34.
    function _losses(Scan memory scan) private pure returns (int256[] memory) {
        return Charges.losses(scan.book, scan.exposure.shorts, MarketWords.spot(scan.quotes.prices));
    }

    /// @dev Adds spot collateral or the perpetual.
    function _addUndated(Scan memory scan) private pure {
        uint256 word = _word(scan);
        int256 quantity = _quantity(word);
        uint256 size = AddOns.sizeOf(quantity);
        uint256 prices = scan.quotes.prices;
        if (InstrumentId.isSpot(word >> 224)) {
            uint256 spot = MarketWords.spot(prices);
            scan.spot += quantity * int256(spot);
            scan.exposure.collateral = size;
            Valuation.addUndated(scan.book, spot, 0, quantity);
        } else {
            scan.exposure.perpetuals = size;
            Valuation.addUndated(
                scan.book,
                MarketWords.perpetual(prices),
                MarketWords.funding(prices),
                quantity
            );
        }
        AddOns.addConfidence(scan.exposure, scan.book.model, MarketWords.sectionConfidence(prices), size);
        _step(scan);
    }

    /// @dev Adds the positions of one expiry.
    function _addExpiry(Scan memory scan, bytes calldata market) private pure {
        uint256 date = _term(scan) >> 136;
        uint256 settlement = AbridgedMarket.settlementPrice(scan.quotes, date);
        if (settlement != 0) return _addSettled(scan, settlement);
        uint256 quoteAt = AbridgedMarket.findQuote(scan.quotes, date);
        Valuation.Book memory book = scan.book;
        Valuation.prepare(book, quoteAt, MarketCodec.time(market));
        uint256 confidence = FixedPointMathLib.min(
            MarketWords.sectionConfidence(scan.quotes.prices),
            MarketWords.confidence(MarketWords.wordAt(quoteAt))
        );
        bool isUnsure = confidence < book.model.natural(ModelFields.CONFIDENCE_THRESHOLD);
        (scan.needsSizes, scan.size) = (isUnsure, 0);
        _addLive(scan);
        if (isUnsure) AddOns.addConfidence(scan.exposure, book.model, confidence, scan.size);
        Valuation.close(book);
    }

    /// @dev Adds the positions of the expiry prepared last, and what add-ons need of them. The assembly equals, with `id` and `quantity` of
    ///      the position at hand and its term:
    ///          (price, strike.log) = (uint64(term), uint72(term >> 64));
    ///          (calls, puts) = id is odd ? (0, quantity) : (quantity, 0);
    ///          step to the next position, and if its id is that of the put of the same strike: puts = its quantity; step again;
    ///          more = there is another position, whose id has the same first 16 bits;
    ///      A future has the price zero, its quantity is that of calls.
    function _addLive(Scan memory scan) private pure {
        Valuation.Book memory book = scan.book;
        bool more = true;
        while (more) {
            uint256 price;
            Valuation.Strike memory strike = book.strike;
            assembly ("memory-safe") {
                let at := mload(add(scan, 0x60))
                let end := mload(add(scan, 0x80))
                let termAt := mload(add(scan, 0xa0))
                let term := mload(termAt)
                price := and(term, 0xffffffffffffffff)
                mstore(strike, price)
                mstore(add(strike, 0x20), and(shr(64, term), 0xffffffffffffffffff))
                let word := calldataload(at)
                let id := shr(224, word)
                let puts := sar(192, shl(32, word))
                let calls := 0
                at := add(at, 12)
                termAt := add(termAt, 32)
                // Zero, which is in no group, after the last.
                word := mul(lt(at, end), calldataload(at))
                if iszero(and(id, 1)) {
                    calls := puts
                    puts := 0
                    if eq(shr(224, word), add(id, 1)) {
                        puts := sar(192, shl(32, word))
                        at := add(at, 12)
                        termAt := add(termAt, 32)
                        word := mul(lt(at, end), calldataload(at))
                    }
                }
                mstore(add(strike, 0x60), puts)
                mstore(add(strike, 0x80), calls)
                mstore(add(scan, 0x60), at)
                mstore(add(scan, 0xa0), termAt)
                more := eq(shr(240, word), shr(16, id))
            }
            if (scan.needsSizes) scan.size += AddOns.sizeOf(strike.calls) + AddOns.sizeOf(strike.puts);
            if (price != 0) {
                if (scan.needsShorts) AddOns.addShorts(scan.exposure, strike.calls, strike.puts);
                Valuation.addStrike(book);
            } else {
                Valuation.addFuture(book, strike.calls);
                scan.exposure.futures += AddOns.sizeOf(strike.calls);
            }
        }
    }

    /// @dev Adds the positions of one settled expiry.
    function _addSettled(Scan memory scan, uint256 settlement) private pure {
        uint256 group = _word(scan) >> 240;
        do {
            uint256 word = _word(scan);
            uint256 strike = uint64(_term(scan));
            scan.value +=
                _quantity(word) * Valuation.settledValue(settlement, strike, InstrumentId.isPut(word >> 224));
            _step(scan);
        } while (scan.at < scan.end && _word(scan) >> 240 == group);
    }

    /// @dev The position at hand, in the first 12 bytes.
    function _word(Scan memory scan) private pure returns (uint256 word) {
        uint256 at = scan.at;
        assembly ("memory-safe") {
            word := calldataload(at)
        }
    }

    function _underlying(Scan memory scan) private pure returns (uint256) {
        return _word(scan) >> 250;
    }

    /// @dev Of a position's word, E8. The cast restores the sign.
    function _quantity(uint256 word) private pure returns (int256) {
        return int64(uint64(word >> 160));
    }

    /// @dev Expiry << 136 | logarithm << 64 | strike of the position at hand.
    function _term(Scan memory scan) private pure returns (uint256 term) {
        uint256 at = scan.termAt;
        assembly ("memory-safe") {
            term := mload(at)
        }
    }

    /// @dev Goes on to the next position.
    function _step(Scan memory scan) private pure {
        unchecked {
            scan.at += PortfolioCodec.POSITION_BYTES;
            scan.termAt += 32;
        }
    }

    /// @dev One index alone. Reverts where the model has no such index.
    function _plan(ModelCodec.Section model, uint256 index) private pure returns (Plan plan) {
        plan = Charges.one(model, index);
        if (plan.isEmpty()) revert ScenarioOutOfRange(index, Charges.all(model).count());
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

    /// @dev Adds one underlying with its deciding loss. Over all of them losses are below 2^188, times the greatest factor, 1.1e20, below 2^254.6,
    ///      and add-ons below 2^247 (bounds.py).
    function _add(Scan memory scan, int256 loss, uint256 settlementToken) private pure {
        ModelCodec.Section model = scan.book.model;
        (uint256 initial, uint256 maintenance) = AddOns.charge(
            scan.exposure,
            model,
            MarketWords.spot(scan.quotes.prices)
        );
        unchecked {
            if (loss > 0) {
                initial += Charges.initialFactor(model, settlementToken) * uint256(loss);
                maintenance += model.natural(ModelFields.MAINTENANCE_FACTOR) * uint256(loss);
            }
            scan.value += scan.book.first.total;
            scan.initial += int256(initial);
            scan.maintenance += int256(maintenance);
        }
    }

    /// @dev Portfolio value, spot value, initial and maintenance requirement, from the sums.
    function _sums(Scan memory scan) private pure returns (int256, int256, uint256, uint256) {
        return (
            FixedPoint.floorDivUnchecked(scan.value, VALUE_SCALE),
            FixedPoint.floorDivUnchecked(scan.spot, VALUE_SCALE),
            uint256(FixedPoint.ceilDivUnchecked(scan.initial, REQUIREMENT_SCALE)),
            uint256(FixedPoint.ceilDivUnchecked(scan.maintenance, REQUIREMENT_SCALE))
        );
    }

    /// @dev Ends the call. Equals, without copies, return Figures(the sums, choices): in memory an offset, the struct, whose last word is the
    ///      offset of the indices, their length, the indices, zeros.
    function _returnFigures(
        Scan memory scan,
        bytes calldata choices
    ) private pure returns (Figures calldata figures) {
        (int256 value, int256 spot, uint256 initial, uint256 maintenance) = _sums(scan);
        assembly ("memory-safe") {
            figures := 0
            let start := mload(0x40)
            mstore(start, 32)
            mstore(add(start, 0x20), value)
            mstore(add(start, 0x40), spot)
            mstore(add(start, 0x60), initial)
            mstore(add(start, 0x80), maintenance)
            mstore(add(start, 0xa0), 0xa0)
            mstore(add(start, 0xc0), choices.length)
            let data := add(start, 0xe0)
            calldatacopy(data, choices.offset, choices.length)
            // Beyond the calldata all bytes are zero.
            calldatacopy(add(data, choices.length), calldatasize(), 32)
            return(start, add(0xe0, and(add(choices.length, 31), not(31))))
        }
    }
}
