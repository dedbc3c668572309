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

    /// @dev What all underlyings of one call share: model bytes, expiry and strike of every position.
    struct Shared {
        bytes model;
        uint256[] terms;
    }

    /// @dev One underlying: its market, the indices to be judged, its book, what add-ons are taken of, the expiry at hand as quoted and prepared, the sum of what is settled and moves
    ///      no more, the part of the value that is spot collateral (both E16), the loss at every index (E34), the position after its last, and the quote
    ///      after the one used last.
    struct Scan {
        MarketCodec.Section quotes;
        Charges.Choice choice;
        Valuation.Book book;
        AddOns.Exposure exposure;
        MarketCodec.Quote quote;
        Valuation.Expiry expiry;
        int256 settled;
        int256 spot;
        int256[] losses;
        uint256 next;
        uint256 nextQuote;
    }

    /// @dev Where the walk over an expiry's positions is: the next position and the end in the calldata, the next word of terms in memory; and
    ///      the sum of sizes so far (E8).
    struct Walk {
        uint256 at;
        uint256 end;
        uint256 termAt;
        uint256 size;
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
        Shared memory shared = _check(modelHash, portfolio, market);
        uint256 count = PortfolioCodec.count(portfolio);
        Totals memory totals;
        bytes memory worst;
        for (uint256 i = 0; i < count;) {
            uint256 underlying = _underlyingAt(portfolio, i);
            ModelCodec.Section memory model = ModelCodec.section(shared.model, underlying);
            Scan memory scan = _scan(shared, portfolio, market, i, model, Charges.all(model));
            (uint256 index, int256 loss) = _worst(scan.losses);
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
        Shared memory shared = _check(modelHash, portfolio, market);
        ModelCodec.Section memory model = ModelCodec.section(shared.model, underlying);
        Charges.Choice memory choice = Charges.all(model);
        uint256 count = PortfolioCodec.count(portfolio);
        uint256 first = 0;
        while (first < count && _underlyingAt(portfolio, first) != underlying) ++first;
        if (first == count) return new int256[](Charges.count(choice));
        return _scan(shared, portfolio, market, first, model, choice).losses;
    }

    /// @dev One index for each held underlying: the sums, and the loss of each (E34).
    function _reprice(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) private view returns (Totals memory totals, int256[] memory found) {
        Shared memory shared = _check(modelHash, portfolio, market);
        uint256 count = PortfolioCodec.count(portfolio);
        found = new int256[](choices.length / 2);
        uint256 chosen = 0;
        for (uint256 i = 0; i < count; chosen += 2) {
            uint256 underlying = _underlyingAt(portfolio, i);
            if (choices.length < chosen + 2 || uint8(choices[chosen]) != underlying)
                revert WrongChoices(choices);
            ModelCodec.Section memory model = ModelCodec.section(shared.model, underlying);
            Charges.Choice memory choice = _choice(model, uint8(choices[chosen + 1]));
            Scan memory scan = _scan(shared, portfolio, market, i, model, choice);
            found[chosen / 2] = scan.losses[0];
            _add(totals, scan, scan.losses[0], MarketCodec.settlementToken(market));
            i = scan.next;
        }
        if (choices.length != chosen) revert WrongChoices(choices);
    }

    /// @dev Checks everything that is given and looks up everything that is needed.
    function _check(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) private view returns (Shared memory) {
        PortfolioCodec.check(portfolio);
        if (!_isPosted(market)) checker.check(market);
        return Shared(ModelStore.read(address(models), modelHash), _terms(portfolio));
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

    /// @dev Sums the positions of one underlying, from position `start` on, and judges them at the chosen indices.
    function _scan(
        Shared memory shared,
        bytes calldata portfolio,
        bytes calldata market,
        uint256 start,
        ModelCodec.Section memory model,
        Charges.Choice memory choice
    ) private pure returns (Scan memory scan) {
        scan.choice = choice;
        Valuation.open(scan.book, model, choice.plan);
        MarketCodec.findInto(market, model.underlying, scan.quotes);
        uint256 count = PortfolioCodec.count(portfolio);
        uint256 i = start;
        for (; i < count; ++i) {
            (uint256 id, int256 quantity) = PortfolioCodec.at(portfolio, i);
            if (InstrumentId.underlying(id) != model.underlying) break;
            if (InstrumentId.expiryIndex(id) >= InstrumentId.FIRST_EXPIRY_INDEX) break;
            _addUndated(scan, InstrumentId.isSpot(id), quantity);
        }
        while (i < count && _underlyingAt(portfolio, i) == model.underlying) {
            i = _addExpiry(shared, portfolio, market, i, scan);
        }
        scan.next = i;
        scan.losses = Charges.losses(choice, scan.book, scan.exposure.shorts, scan.quotes.spot);
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
        Shared memory shared,
        bytes calldata portfolio,
        bytes calldata market,
        uint256 i,
        Scan memory scan
    ) private pure returns (uint256) {
        uint256 date = _term(shared, i) >> 136;
        uint256 settlement = MarketCodec.settlementPrice(market, scan.quotes, date);
        if (settlement != 0) return _addSettled(shared, portfolio, i, scan, settlement);
        // Where ids and dates increase together, the next quote is the one after the last.
        uint256 place = MarketCodec.findExpiry(market, scan.quotes, date, scan.nextQuote);
        scan.nextQuote = place + 1;
        MarketCodec.readQuote(market, scan.quotes, place, scan.quote);
        Valuation.Expiry memory expiry = scan.expiry;
        Valuation.prepare(scan.book, expiry, scan.quote, MarketCodec.time(market));
        uint256 size;
        (i, size) = _addLive(shared, portfolio, i, scan, expiry);
        Valuation.close(scan.book, expiry);
        uint256 confidence = FixedPointMathLib.min(scan.quotes.confidence, scan.quote.confidence);
        AddOns.addConfidence(scan.exposure, scan.book.model, confidence, size);
        return i;
    }

    /// @dev Adds the positions of the expiry prepared last, from position `i` on; returns the position after its last, and their size.
    function _addLive(
        Shared memory shared,
        bytes calldata portfolio,
        uint256 i,
        Scan memory scan,
        Valuation.Expiry memory expiry
    ) private pure returns (uint256, uint256) {
        Walk memory walk;
        uint256[] memory terms = shared.terms;
        assembly ("memory-safe") {
            let at := add(portfolio.offset, mul(i, 12))
            mstore(walk, at)
            mstore(add(walk, 0x20), add(portfolio.offset, portfolio.length))
            mstore(add(walk, 0x40), add(add(terms, 32), shl(5, i)))
        }
        uint256 start = walk.at;
        Valuation.Book memory book = scan.book;
        bool more = true;
        while (more) {
            more = _next(walk, scan.exposure, book.strike);
            if (book.strike.price != 0) {
                Valuation.addStrike(book, expiry);
            } else {
                Valuation.addFuture(book, book.strike.calls);
                scan.exposure.futures += AddOns.sizeOf(book.strike.calls);
            }
        }
        unchecked {
            return (i + (walk.at - start) / PortfolioCodec.POSITION_BYTES, walk.size);
        }
    }

    /// @dev Reads the next position into `strike`, and with it the put that stands behind the call of the same strike; whether another
    ///      position of the expiry follows. A future has the price zero, its quantity is that of calls. Equals, with `id` and `quantity` of the
    ///      position at `walk.at` and `term` its word,
    ///          (strike.price, strike.log) = (uint64(term), uint72(term >> 64));
    ///          (strike.calls, strike.puts) = id is odd ? (0, quantity) : (quantity, 0);
    ///          walk.size += |quantity|;
    ///          step to the next position, and if its id is that of the put of the same strike:
    ///              strike.puts = its quantity; walk.size += |its quantity|; step again;
    ///          if (strike.price != 0) {
    ///              exposure.naked -= uint256(min(calls + puts, 0));
    ///              exposure.shorts -= uint256(min(calls, 0) + min(puts, 0));
    ///          }
    ///          return whether there is another position, whose id has the same first 16 bits;
    function _next(
        Walk memory walk,
        AddOns.Exposure memory exposure,
        Valuation.Strike memory strike
    ) private pure returns (bool more) {
        assembly ("memory-safe") {
            let at := mload(walk)
            let end := mload(add(walk, 0x20))
            let termAt := mload(add(walk, 0x40))
            let term := mload(termAt)
            let price := and(term, 0xffffffffffffffff)
            mstore(strike, price)
            mstore(add(strike, 0x20), and(shr(64, term), 0xffffffffffffffffff))
            let word := calldataload(at)
            let calls := sar(192, shl(32, word))
            let sign := sar(255, calls)
            let size := sub(xor(calls, sign), sign)
            let put := or(shr(224, word), 1)
            let puts := mul(calls, eq(shr(224, word), put))
            calls := sub(calls, puts)
            at := add(at, 12)
            termAt := add(termAt, 32)
            let group := shr(240, word)
            // Zero, which is in no group, after the last.
            word := mul(lt(at, end), calldataload(at))
            if eq(shr(224, word), put) {
                puts := sar(192, shl(32, word))
                sign := sar(255, puts)
                size := add(size, sub(xor(puts, sign), sign))
                at := add(at, 12)
                termAt := add(termAt, 32)
                word := mul(lt(at, end), calldataload(at))
            }
            more := eq(shr(240, word), group)
            mstore(walk, at)
            mstore(add(walk, 0x40), termAt)
            mstore(add(walk, 0x60), add(mload(add(walk, 0x60)), size))
            mstore(add(strike, 0x60), puts)
            mstore(add(strike, 0x80), calls)
            if price {
                // Net short, and each short: x & (x >> 255) is x where x is negative.
                let net := add(calls, puts)
                mstore(exposure, sub(mload(exposure), and(net, sar(255, net))))
                net := add(and(calls, sar(255, calls)), and(puts, sar(255, puts)))
                mstore(add(exposure, 0x20), sub(mload(add(exposure, 0x20)), net))
            }
        }
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
            uint256 strike = uint64(_term(shared, i));
            scan.settled += quantity * Valuation.settledValue(settlement, strike, InstrumentId.isPut(id));
            (id, quantity) = _atOrNone(portfolio, ++i, count);
        }
        return i;
    }

    /// @dev Expiry << 136 | logarithm << 64 | strike of position `i`, without a check: the registry gave one word per position.
    function _term(Shared memory shared, uint256 i) private pure returns (uint256 term) {
        uint256[] memory terms = shared.terms;
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
    function _choice(
        ModelCodec.Section memory model,
        uint256 index
    ) private pure returns (Charges.Choice memory) {
        Charges.Choice memory choice = Charges.one(model, index);
        if (Charges.count(choice) == 0) revert ScenarioOutOfRange(index, Charges.count(Charges.all(model)));
        return choice;
    }

    /// @dev The greatest loss (E34) and the lowest index that has it.
    function _worst(int256[] memory all) private pure returns (uint256 index, int256 greatest) {
        greatest = all[0];
        for (uint256 i = 1; i < all.length; ++i) {
            if (all[i] > greatest) (index, greatest) = (i, all[i]);
        }
    }

    /// @dev Adds one underlying with its deciding loss: factor x scan is below 2^255, add-ons below 2^244.
    function _add(Totals memory totals, Scan memory scan, int256 loss, uint256 settlementToken) private pure {
        ModelCodec.Section memory model = scan.book.model;
        (uint256 initial, uint256 maintenance) = AddOns.charge(scan.exposure, model, scan.quotes.spot);
        if (loss > 0) {
            initial += Charges.initialFactor(model, settlementToken) * uint256(loss);
            maintenance += model.natural(ModelFields.MAINTENANCE_FACTOR) * uint256(loss);
        }
        totals.value += scan.book.columns[0].total + scan.settled;
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
