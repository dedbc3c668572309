// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AbridgedMarket } from "../libraries/AbridgedMarket.sol";
import { Charges } from "../libraries/Charges.sol";
import { Gaussian } from "../libraries/Gaussian.sol";
import { Logarithm } from "../libraries/Logarithm.sol";
import { MarketCodec } from "../libraries/MarketCodec.sol";
import { MarketWords } from "../libraries/MarketWords.sol";
import { ModelCodec } from "../libraries/ModelCodec.sol";
import { Plan, Plans } from "../libraries/Plan.sol";
import { Scenario } from "../libraries/Scenario.sol";
import { Valuation } from "../libraries/Valuation.sol";

/// @title Values of many instruments under every move, by the code that margins accounts: for tests
contract CellHarness {
    /// @dev Kinds of instruments, as the specification numbers them.
    uint256 private constant KIND_PERPETUAL = 1;
    uint256 private constant KIND_FUTURE = 2;
    uint256 private constant KIND_CALL = 3;

    /// @dev One expiry prepared, so that neighbours in a list share it; `group` is underlying and expiry.
    struct Desk {
        uint256 group;
        bool isSettled;
        uint256 settlement;
        AbridgedMarket.Section quotes;
        Valuation.Book book;
    }

    /// @notice Values of one unit, E8, under every move (as the market stands, scenarios, the basis charge's two if the model has it),
    ///         then the delta, Q60; by the code that margins accounts.
    /// @param model Canonical model bytes; not checked, so that the contract fits its limit.
    /// @param market Canonical market bytes.
    /// @param instruments underlying << 128 | kind << 120 | expiry << 64 | strike (E8); kind 0 spot, 1 perpetual, 2 future, 3 call, 4 put.
    ///        Those of one expiry beside each other are the cheapest.
    function cells(
        bytes memory model,
        bytes calldata market,
        uint256[] calldata instruments
    ) external pure returns (int256[][] memory out) {
        MarketCodec.validate(market);
        Desk memory desk;
        out = new int256[][](instruments.length);
        for (uint256 i = 0; i < out.length; ++i) {
            uint256 packed = instruments[i];
            if (desk.group != _group(packed)) desk = _desk(model, market, packed);
            out[i] = _row(desk, packed);
        }
    }

    function _row(Desk memory desk, uint256 packed) private pure returns (int256[] memory row) {
        Valuation.Book memory book = desk.book;
        row = new int256[]((book.end - _place(book.first)) / Valuation.COLUMN_BYTES + 1);
        (uint256 kind, uint256 strike) = (uint8(packed >> 120), uint64(packed));
        if (desk.isSettled) {
            int256 payoff = Valuation.settledValue(desk.settlement, strike, kind > KIND_CALL);
            for (uint256 s = 0; s + 1 < row.length; ++s) row[s] = payoff;
            return row;
        }
        if (kind <= KIND_PERPETUAL) return _undatedRow(desk, row, kind == KIND_PERPETUAL);
        (book.long, book.short) = (0, 0);
        if (kind == KIND_FUTURE) Valuation.addFuture(book, 1);
        else {
            Valuation.Strike memory k = book.strike;
            (k.price, k.log) = (strike, Logarithm.ln(strike));
            (k.calls, k.puts) = kind == KIND_CALL ? (int256(1), int256(0)) : (int256(0), int256(1));
            Valuation.addStrike(book);
        }
        Valuation.Column memory column = book.first;
        for (uint256 s = 0; s + 1 < row.length; ++s) {
            row[s] = column.options + column.futures;
            (column.options, column.futures) = (0, 0);
            column = _after(column);
        }
        row[row.length - 1] = int256(book.long) - int256(book.short);
    }

    /// @dev The book keeps changes only, and the basis charge moves nothing undated: so a value is its price here, moved.
    function _undatedRow(
        Desk memory desk,
        int256[] memory row,
        bool isPerpetual
    ) private pure returns (int256[] memory) {
        uint256 price =
            isPerpetual ? MarketWords.perpetual(desk.quotes.prices) : MarketWords.spot(desk.quotes.prices);
        Valuation.Column memory column = desk.book.first;
        for (uint256 s = 0; s + 1 < row.length; ++s) {
            row[s] = int256(Scenario.shockedPrice(price, column.spot));
            if (isPerpetual) row[s] -= MarketWords.funding(desk.quotes.prices);
            column = _after(column);
        }
        row[row.length - 1] = int256(Gaussian.ONE_Q60);
        return row;
    }

    function _desk(
        bytes memory model,
        bytes calldata market,
        uint256 packed
    ) private pure returns (Desk memory desk) {
        desk.group = _group(packed);
        ModelCodec.Section section = ModelCodec.section(model, packed >> 128);
        Plan plan = Charges.all(section);
        Valuation.open(desk.book, section, Plans.make(0, plan.scenarios(), plan.hasBasis(), true, false));
        AbridgedMarket.find(market, packed >> 128, desk.quotes);
        uint256 date = uint56(packed >> 64);
        if (date == 0) return desk;
        desk.settlement = AbridgedMarket.settlementPrice(desk.quotes, date);
        desk.isSettled = desk.settlement != 0;
        if (desk.isSettled) return desk;
        uint256 quoteAt = AbridgedMarket.findQuote(desk.quotes, date);
        Valuation.prepare(desk.book, quoteAt, MarketCodec.time(market));
    }

    function _place(Valuation.Column memory column) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := column
        }
    }

    /// @dev The next column, which after the last is none.
    function _after(Valuation.Column memory column) private pure returns (Valuation.Column memory next) {
        uint256 size = Valuation.COLUMN_BYTES;
        assembly ("memory-safe") {
            next := add(column, size)
        }
    }

    /// @dev Underlying and expiry.
    function _group(uint256 packed) private pure returns (uint256) {
        return ((packed >> 128) << 56) | uint56(packed >> 64);
    }
}
