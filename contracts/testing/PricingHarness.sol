// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EpochHeader, Leaf, Order } from "../interfaces/Types.sol";
import { FixedPoint } from "../libraries/FixedPoint.sol";
import { Gaussian, TailTable } from "../libraries/Gaussian.sol";
import { Logarithm } from "../libraries/Logarithm.sol";
import { MarketCodec } from "../libraries/MarketCodec.sol";
import { ModelCodec } from "../libraries/ModelCodec.sol";
import { OrderedTree } from "../libraries/OrderedTree.sol";
import { PortfolioCodec } from "../libraries/PortfolioCodec.sol";
import { TypedData } from "../libraries/TypedData.sol";
import { Valuation } from "../libraries/Valuation.sol";
import { Black76 } from "../libraries/Black76.sol";
import { Scenario } from "../libraries/Scenario.sol";
import { Svi } from "../libraries/Svi.sol";

/// @title The libraries, callable from outside, in batches: for tests, vectors and gas figures
contract PricingHarness {
    /// @notice floorDiv of every pair.
    function floorDiv(
        int256[] calldata numerators,
        int256[] calldata denominators
    ) external pure returns (int256[] memory out) {
        out = new int256[](numerators.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.floorDiv(numerators[i], denominators[i]);
    }

    /// @notice ceilDiv of every pair.
    function ceilDiv(
        int256[] calldata numerators,
        int256[] calldata denominators
    ) external pure returns (int256[] memory out) {
        out = new int256[](numerators.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.ceilDiv(numerators[i], denominators[i]);
    }

    /// @notice mulShift of every pair, by the same number of bits.
    function mulShift(
        int256[] calldata a,
        int256[] calldata b,
        uint256 bits
    ) external pure returns (int256[] memory out) {
        out = new int256[](a.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.mulShift(a[i], b[i], bits);
    }

    /// @notice floor(sqrt(x)) of every x.
    function squareRoot(uint256[] calldata x) external pure returns (uint256[] memory out) {
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.squareRoot(x[i]);
    }

    /// @notice wadToQ64 of every x.
    function wadToQ64(int256[] calldata x) external pure returns (int256[] memory out) {
        out = new int256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.wadToQ64(x[i]);
    }

    /// @notice ln(x), Q64, of every x.
    function ln(uint256[] calldata x) external pure returns (int256[] memory out) {
        out = new int256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Logarithm.ln(x[i]);
    }

    /// @notice ln(30 days in seconds), Q64, as the tenor rule takes it.
    function logThirtyDays() external pure returns (int256) {
        return Scenario.LOG_THIRTY_DAYS;
    }

    /// @notice e^x, Q64, of every x.
    function exp(int256[] calldata x) external pure returns (uint256[] memory out) {
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Logarithm.exp(x[i]);
    }

    /// @notice N(x), Q60, of every x (Q58).
    function normalCdf(int256[] calldata x) external pure returns (uint256[] memory out) {
        TailTable table = Gaussian.load();
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Gaussian.normalCdf(x[i], table);
    }

    /// @notice Undiscounted option values, E8, by `price` of the specification.
    /// @param isCall Whether each is a call.
    /// @param forwards E8.
    /// @param strikes E8.
    /// @param vols Total volatilities, Q58.
    function prices(
        bool[] calldata isCall,
        uint256[] calldata forwards,
        uint256[] calldata strikes,
        uint256[] calldata vols
    ) external pure returns (uint256[] memory out) {
        TailTable table = Gaussian.load();
        out = new uint256[](forwards.length);
        for (uint256 i = 0; i < out.length; ++i) {
            (uint256 f, uint256 k) = (forwards[i], strikes[i]);
            uint256 y = Black76.moneyness(Logarithm.ln(f), Logarithm.ln(k));
            uint256 intrinsic = isCall[i] == (f > k) ? (f > k ? f - k : k - f) : 0;
            out[i] = Black76.outOfTheMoney(f, k, y, vols[i], table) + intrinsic;
        }
    }

    /// @notice The smile's total volatility at strikes, Q58.
    /// @param smile a, b, rho, m, sigma, WAD; refused when out of range.
    /// @param forward E8.
    /// @param strikes E8.
    function totalVols(
        Svi.Smile memory smile,
        uint256 forward,
        uint256[] calldata strikes
    ) external pure returns (uint256[] memory out) {
        Svi.check(smile);
        Svi.Smile memory prepared = Svi.prepare(smile);
        int256 logForward = Logarithm.ln(forward);
        out = new uint256[](strikes.length);
        for (uint256 i = 0; i < out.length; ++i)
            out[i] = Svi.totalVol(prepared, logForward, Logarithm.ln(strikes[i]));
    }

    /// @notice The vol rules of an underlying at times to expiry: up multiplier, up floor, down multiplier, Q58.
    /// @param model Canonical model bytes.
    /// @param underlying Its id.
    /// @param times Seconds to expiry.
    function volRules(
        bytes calldata model,
        uint256 underlying,
        uint256[] calldata times
    ) external pure returns (Scenario.VolRules[] memory out) {
        ModelCodec.check(model);
        ModelCodec.Section memory section = ModelCodec.section(model, underlying);
        out = new Scenario.VolRules[](times.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Scenario.volRules(section, times[i]);
    }

    /// @notice Values of options of one expiry, E8, under every move: the market as it stands, then every scenario.
    /// @param model Canonical model bytes.
    /// @param market Canonical market bytes.
    /// @param underlying Its id.
    /// @param expiry Unix seconds, live.
    /// @param options Strike (E8) << 1 | put.
    /// @return out Option by option, 1 + scenarios values each.
    function optionValues(
        bytes calldata model,
        bytes calldata market,
        uint256 underlying,
        uint256 expiry,
        uint256[] calldata options
    ) external pure returns (int256[] memory out) {
        (Valuation.Column[] memory columns, Valuation.Expiry memory prepared) = _prepare(
            model,
            market,
            underlying,
            expiry
        );
        TailTable table = Gaussian.load();
        out = new int256[](options.length * columns.length);
        for (uint256 i = 0; i < options.length; ++i) {
            for (uint256 s = 0; s < columns.length; ++s) columns[s].sum = 0;
            (int256 calls, int256 puts) = options[i] & 1 == 0
                ? (int256(1), int256(0))
                : (int256(0), int256(1));
            Valuation.addOptions(columns, prepared, options[i] >> 1, calls, puts, table);
            for (uint256 s = 0; s < columns.length; ++s) out[i * columns.length + s] = columns[s].sum;
        }
    }

    /// @notice Revert unless the bytes encode a portfolio; returns its hash.
    function checkPortfolio(bytes calldata portfolio) external pure returns (bytes32) {
        PortfolioCodec.check(portfolio);
        return keccak256(portfolio);
    }

    /// @notice The portfolio after a trade.
    function applyTrade(
        bytes calldata portfolio,
        uint256 instrument,
        int256 quantity
    ) external pure returns (bytes memory) {
        return PortfolioCodec.applyTrade(portfolio, instrument, quantity);
    }

    /// @notice A portfolio cut in two.
    function split(
        bytes calldata portfolio,
        uint256 fractionWad
    ) external pure returns (bytes memory, bytes memory) {
        return PortfolioCodec.split(portfolio, fractionWad);
    }

    /// @notice A portfolio without the positions whose bits are set.
    function without(bytes calldata portfolio, uint256 removed) external pure returns (bytes memory) {
        return PortfolioCodec.without(portfolio, removed);
    }

    /// @notice The quantity (E8) of an instrument in a portfolio.
    function quantityOf(bytes calldata portfolio, uint256 instrument) external pure returns (int256) {
        return PortfolioCodec.quantityOf(portfolio, instrument);
    }

    /// @notice Revert unless the bytes encode a model; returns its hash.
    function checkModel(bytes calldata model) external pure returns (bytes32) {
        ModelCodec.check(model);
        return keccak256(model);
    }

    /// @notice Revert unless the bytes encode a market; returns its hash and its next expiry.
    function checkMarket(bytes calldata market) external pure returns (bytes32, uint256) {
        MarketCodec.validate(market);
        return (MarketCodec.hash(market), MarketCodec.nextExpiry(market));
    }

    /// @notice The market hash, lengths checked only.
    function marketHash(bytes calldata market) external pure returns (bytes32) {
        return MarketCodec.hash(market);
    }

    /// @notice Revert unless the leaf stands at the index of the tree.
    function verifyLeaf(
        bytes32 leaf,
        uint256 index,
        uint256 count,
        bytes32[] calldata proof,
        bytes32 root
    ) external pure {
        OrderedTree.verify(leaf, index, count, proof, root);
    }

    /// @notice The depth of a tree over so many leaves.
    function treeDepth(uint256 count) external pure returns (uint256) {
        return OrderedTree.depth(count);
    }

    /// @notice The struct hash of an epoch's header.
    function hashHeader(EpochHeader calldata header) external pure returns (bytes32) {
        return TypedData.hashHeader(header);
    }

    /// @notice The struct hash of a leaf.
    function hashLeaf(Leaf calldata leaf) external pure returns (bytes32) {
        return TypedData.hashLeaf(leaf);
    }

    /// @notice The struct hash of an order.
    function hashOrder(Order calldata order) external pure returns (bytes32) {
        return TypedData.hashOrder(order);
    }

    function _prepare(
        bytes memory model,
        bytes calldata market,
        uint256 underlying,
        uint256 expiry
    ) private pure returns (Valuation.Column[] memory columns, Valuation.Expiry memory prepared) {
        ModelCodec.check(model);
        MarketCodec.validate(market);
        ModelCodec.Section memory section = ModelCodec.section(model, underlying);
        MarketCodec.Section memory quotes = MarketCodec.find(market, underlying);
        columns = Valuation.columns(model, section, 0, section.scenarioCount);
        uint256 live = MarketCodec.findExpiry(market, quotes, expiry);
        prepared = Valuation.prepare(
            columns,
            section,
            MarketCodec.quote(market, quotes, live),
            MarketCodec.time(market)
        );
    }
}
