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

    /// @dev One call: the underlying at hand with its market, its book and what add-ons are taken of; the expiry at hand as quoted; where in the
    ///      calldata the next position is and where the last one ends, where in memory the next one's term is; whether add-ons need what is
    ///      short, and sizes, and the sum of the expiry's (E8); the quote after the one used last; and the sums over underlyings: values
    ///      (E16), requirements (10^52).
    struct Scan {
        MarketCodec.Section quotes;
        Valuation.Book book;
        AddOns.Exposure exposure;
        MarketCodec.Quote quote;
        uint256 at;
        uint256 end;
        uint256 termAt;
        bool needsShorts;
        bool needsSizes;
        uint256 size;
        uint256 nextQuote;
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
        _fill(figures, scan);
        figures.worstScenarios = worst;
    }

    /// @inheritdoc IMarginCourt
    function repriceScenario(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external view returns (Figures memory figures) {
        (Scan[] memory one, ) = _reprice(modelHash, portfolio, market, choices);
        _fill(figures, one[0]);
        figures.worstScenarios = choices;
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

    /// @dev One index for each held underlying: the sums, and the loss of each (E34).
    function _reprice(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) private view returns (Scan[] memory one, int256[] memory found) {
        bytes memory model;
        (one, model) = _begin(modelHash, portfolio, market);
        Scan memory scan = one[0];
        found = new int256[](choices.length / 2);
        uint256 chosen = 0;
        for (; scan.at < scan.end; ++chosen) {
            uint256 underlying = _underlying(scan);
            uint256 index = _indexAt(choices, chosen, underlying);
            ModelCodec.Section section = ModelCodec.section(model, underlying);
            _scan(scan, market, section, _plan(section, index));
            int256 loss = _losses(scan)[0];
            found[chosen] = loss;
            _add(scan, loss, MarketCodec.settlementToken(market));
        }
        if (choices.length != 2 * chosen) revert WrongChoices(choices);
    }

    /// @dev The index chosen for an underlying, which is the one held after so many others.
    function _indexAt(
        bytes calldata choices,
        uint256 place,
        uint256 underlying
    ) private pure returns (uint256) {
        if (choices.length < 2 * place + 2 || uint8(choices[2 * place]) != underlying)
            revert WrongChoices(choices);
        return uint8(choices[2 * place + 1]);
    }

    /// @dev Checks everything that is given and looks up everything that is needed: the model's bytes, expiry and strike of every position.
    ///      The scan, in an array because one that is returned by itself would be made twice, stands before the first position.
    function _begin(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) private view returns (Scan[] memory one, bytes memory model) {
        PortfolioCodec.check(portfolio);
        if (!_isPosted(market)) checker.check(market);
        model = ModelStore.read(address(models), modelHash);
        uint256[] memory terms = _terms(portfolio);
        one = _scans();
        Scan memory scan = one[0];
        assembly ("memory-safe") {
            mstore(add(scan, 0x80), portfolio.offset)
            mstore(add(scan, 0xa0), add(portfolio.offset, portfolio.length))
            mstore(add(scan, 0xc0), add(terms, 32))
        }
    }

    /// @dev Equals one = new Scan[](1), which would clear each field of each struct by itself. In memory follow each other: length, pointer,
    ///      scan (15 words), quotes (10), book (11), its expiry (6), that one's smile (5), strike (6), exposure (6), quote (5), its smile (5).
    function _scans() private pure returns (Scan[] memory one) {
        assembly ("memory-safe") {
            one := mload(0x40)
            mstore(one, 1)
            let scan := add(one, 0x40)
            mstore(add(one, 0x20), scan)
            // Beyond the calldata all bytes are zero.
            calldatacopy(scan, calldatasize(), 0x8a0)
            mstore(0x40, add(scan, 0x8a0))
            mstore(scan, add(scan, 0x1e0))
            mstore(add(scan, 0x20), add(scan, 0x320))
            mstore(add(scan, 0x40), add(scan, 0x6a0))
            mstore(add(scan, 0x60), add(scan, 0x760))
            mstore(add(scan, 0x440), add(scan, 0x480))
            mstore(add(scan, 0x460), add(scan, 0x5e0))
            mstore(add(scan, 0x4e0), add(scan, 0x540))
            mstore(add(scan, 0x7e0), add(scan, 0x800))
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
        return MarketCodec.hash(market) == posted;
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
        MarketCodec.findInto(market, underlying, scan.quotes);
        AddOns.Exposure memory exposure = scan.exposure;
        assembly ("memory-safe") {
            calldatacopy(exposure, calldatasize(), 0xc0)
        }
        scan.nextQuote = 0;
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
        return Charges.losses(scan.book, scan.exposure.shorts, scan.quotes.spot);
    }

    /// @dev Adds spot collateral or the perpetual.
    function _addUndated(Scan memory scan) private pure {
        uint256 word = _word(scan);
        int256 quantity = _quantity(word);
        uint256 size = AddOns.sizeOf(quantity);
        if (InstrumentId.isSpot(word >> 224)) {
            scan.spot += quantity * int256(scan.quotes.spot);
            scan.exposure.collateral = size;
            Valuation.addUndated(scan.book, scan.quotes.spot, 0, quantity);
        } else {
            scan.exposure.perpetuals = size;
            Valuation.addUndated(scan.book, scan.quotes.perpetual, scan.quotes.funding, quantity);
        }
        AddOns.addConfidence(scan.exposure, scan.book.model, scan.quotes.confidence, size);
        _step(scan);
    }

    /// @dev Adds the positions of one expiry.
    function _addExpiry(Scan memory scan, bytes calldata market) private pure {
        uint256 date = _term(scan) >> 136;
        uint256 settlement = MarketCodec.settlementPrice(market, scan.quotes, date);
        if (settlement != 0) return _addSettled(scan, settlement);
        // Where ids and dates increase together, the next quote is the one after the last.
        uint256 place = MarketCodec.findExpiry(market, scan.quotes, date, scan.nextQuote);
        MarketCodec.readQuote(market, scan.quotes, place, scan.quote);
        Valuation.Book memory book = scan.book;
        Valuation.prepare(book, scan.quote, MarketCodec.time(market));
        uint256 confidence = FixedPointMathLib.min(scan.quotes.confidence, scan.quote.confidence);
        bool isUnsure = confidence < book.model.natural(ModelFields.CONFIDENCE_THRESHOLD);
        (scan.needsSizes, scan.size) = (isUnsure || scan.needsShorts, 0);
        unchecked {
            scan.nextQuote = place + 1;
        }
        _addLive(scan);
        if (isUnsure) AddOns.addConfidence(scan.exposure, book.model, confidence, scan.size);
        Valuation.close(book);
    }

    /// @dev Adds the positions of the expiry prepared last, and if they are needed their sizes. The assembly equals, with `id` and `quantity` of
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
                let at := mload(add(scan, 0x80))
                let end := mload(add(scan, 0xa0))
                let termAt := mload(add(scan, 0xc0))
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
                mstore(add(scan, 0x80), at)
                mstore(add(scan, 0xc0), termAt)
                more := eq(shr(240, word), shr(16, id))
            }
            if (scan.needsSizes) _addSizes(scan, strike);
            if (price != 0) {
                Valuation.addStrike(book);
            } else {
                Valuation.addFuture(book, strike.calls);
                scan.exposure.futures += AddOns.sizeOf(strike.calls);
            }
        }
    }

    /// @dev Counts what add-ons are taken of.
    function _addSizes(Scan memory scan, Valuation.Strike memory strike) private pure {
        unchecked {
            (int256 calls, int256 puts) = (strike.calls, strike.puts);
            uint256 size = AddOns.sizeOf(calls) + AddOns.sizeOf(puts);
            scan.size += size;
            if (strike.price != 0) AddOns.addShorts(scan.exposure, calls, puts);
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
    function _add(Scan memory scan, int256 loss, uint256 settlementToken) private pure {
        ModelCodec.Section model = scan.book.model;
        (uint256 initial, uint256 maintenance) = AddOns.charge(scan.exposure, model, scan.quotes.spot);
        if (loss > 0) {
            initial += Charges.initialFactor(model, settlementToken) * uint256(loss);
            maintenance += model.natural(ModelFields.MAINTENANCE_FACTOR) * uint256(loss);
        }
        scan.value += scan.book.first.total;
        scan.initial += int256(initial);
        scan.maintenance += int256(maintenance);
    }

    /// @dev Figures but for the indices, from the sums.
    function _fill(Figures memory figures, Scan memory scan) private pure {
        figures.portfolioValue = FixedPoint.floorDiv(scan.value, VALUE_SCALE);
        figures.spotValue = FixedPoint.floorDiv(scan.spot, VALUE_SCALE);
        figures.initialMargin = uint256(FixedPoint.ceilDiv(scan.initial, REQUIREMENT_SCALE));
        figures.maintenanceMargin = uint256(FixedPoint.ceilDiv(scan.maintenance, REQUIREMENT_SCALE));
    }
}
