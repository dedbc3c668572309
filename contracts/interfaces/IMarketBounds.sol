// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title How far a market may be from what is plausible, and from the market before it
/// @notice What no outside feed shows, attesters could lie about: forwards, rates, smiles, funding, confidence, the settlement token's price.
///         Absolute bands and change limits bound the lie. They are applied when an epoch is posted, and never again afterwards.
/// @dev Safety: the limits fit the market they are for. Liveness: so do they in a crash. Comparisons are exact but for one square root per
///      variance, rounded down to 1e-18.
interface IMarketBounds {
    /// @notice Limits of one underlying, all in millionths (1e-6). Variances are judged at three log-moneynesses ln(K/F) per expiry: minus
    ///         `wing` x sqrt(tau), zero, plus `wing` x sqrt(tau), tau being the years to the expiry.
    /// @param minVol The least annual volatility at any of the three points.
    /// @param maxVol The greatest, at most 4,000,000,000 and at least `minVol`.
    /// @param wing How far the outer points are out, at most 4,000,000.
    /// @param basis How far forward / spot may be from 1 ...
    /// @param basisPerYear ... and how much further per year to the expiry.
    /// @param minRate The least rate per year.
    /// @param maxRate The greatest, at least `minRate`.
    /// @param basisJump How far forward / spot of an expiry may move between two epochs ...
    /// @param basisJumpPerHour ... and how much further per hour between their times.
    /// @param rateJump As `basisJump`, for the rate per year.
    /// @param rateJumpPerHour As `basisJumpPerHour`, for the rate per year.
    /// @param volJump By which share the annual volatility may rise, or the old one may be above the new, at any of the three points ...
    /// @param volJumpPerHour ... and how much more per hour; together a thousandfold at most.
    /// @param fundingPerDay By which share of spot the perpetual's cumulative funding may move per day.
    /// @param confidenceJump How far the confidence in spot and in an expiry may rise between two epochs, each by itself. It may fall at once:
    ///        less confidence only asks for more margin, and an honest source must be able to say that it has none.
    /// @param confidenceJumpPerHour As `basisJumpPerHour`, for confidence.
    struct Limits {
        uint32 minVol;
        uint32 maxVol;
        uint32 wing;
        uint32 basis;
        uint32 basisPerYear;
        int32 minRate;
        int32 maxRate;
        uint32 basisJump;
        uint32 basisJumpPerHour;
        uint32 rateJump;
        uint32 rateJumpPerHour;
        uint32 volJump;
        uint32 volJumpPerHour;
        uint32 fundingPerDay;
        uint32 confidenceJump;
        uint32 confidenceJumpPerHour;
    }

    /// @notice Limits of the settlement token's price, millionths (1e-6). Without any it may not move.
    /// @param jump By which share of itself it may rise or fall between two epochs ...
    /// @param jumpPerHour ... and how much further per hour between their times.
    struct TokenLimits {
        uint32 jump;
        uint32 jumpPerHour;
    }

    /// @notice The limits of an underlying were set or replaced.
    event LimitsSet(uint8 indexed underlying, Limits limits);
    /// @notice The limits of the settlement token's price were set or replaced.
    event TokenLimitsSet(TokenLimits limits);

    /// @notice A market with an underlying that has no limits.
    error NoLimits(uint8 underlying);
    /// @notice A forward (E8) further from spot (E8) than `max` millionths of it.
    error BasisOutOfBand(uint8 underlying, uint32 expiry, uint256 forwardE8, uint256 spotE8, uint256 max);
    /// @notice A rate (WAD) outside the band (WAD).
    error RateOutOfBand(uint8 underlying, uint32 expiry, int256 rateWad, int256 lowWad, int256 highWad);
    /// @notice A total variance (WAD, rounded down) outside the band (WAD, rounded down); `point` counts from the lowest strike, 0 to 2.
    error VarianceOutOfBand(
        uint8 underlying,
        uint32 expiry,
        uint256 point,
        uint256 varianceWad,
        uint256 lowWad,
        uint256 highWad
    );
    /// @notice Forward / spot moved by more than `max` millionths since the epoch before.
    error BasisJump(
        uint8 underlying,
        uint32 expiry,
        uint256 forwardE8,
        uint256 spotE8,
        uint256 previousForwardE8,
        uint256 previousSpotE8,
        uint256 max
    );
    /// @notice A rate (WAD) moved by more than `max` millionths per year since the epoch before.
    error RateJump(uint8 underlying, uint32 expiry, int256 rateWad, int256 previousWad, uint256 max);
    /// @notice A total variance (WAD, rounded down) moved, per unit of time, by more than `max` millionths of its volatility since the
    ///         epoch before; `point` counts from the lowest strike, 0 to 2.
    error VarianceJump(
        uint8 underlying,
        uint32 expiry,
        uint256 point,
        uint256 varianceWad,
        uint256 previousWad,
        uint256 max
    );
    /// @notice Cumulative funding (E8) moved by more than `maxE8` since the epoch before.
    error FundingJump(uint8 underlying, int256 fundingE8, int256 previousE8, uint256 maxE8);
    /// @notice A confidence (WAD), in spot where `expiry` is 0, rose by more than `max` millionths since the epoch before.
    error ConfidenceJump(
        uint8 underlying,
        uint32 expiry,
        uint256 confidenceWad,
        uint256 previousWad,
        uint256 max
    );
    /// @notice The settlement token's price (E8) moved by more than `max` millionths of itself since the epoch before.
    error TokenJump(uint256 priceE8, uint256 previousE8, uint256 max);

    /// @notice Set the limits of an underlying; the admin only. Reverts with OutOfRange(field, value, low, high) for limits that exclude
    ///         everything or exceed the arithmetic.
    /// @param underlying Its id.
    /// @param limits The limits.
    function setLimits(uint8 underlying, Limits calldata limits) external;

    /// @notice Set the limits of the settlement token's price; the admin only.
    /// @param limits The limits.
    function setTokenLimits(TokenLimits calldata limits) external;

    /// @notice The limits of the settlement token's price; zero unless set.
    function tokenLimits() external view returns (TokenLimits memory);

    /// @notice The limits of an underlying; all zero if there are none.
    /// @param underlying Its id.
    function limitsOf(uint8 underlying) external view returns (Limits memory);

    /// @notice Reverts unless bytes encode a market, with what is wrong: BadLength, OutOfRange, NotIncreasing, NegativeVariance.
    /// @param market Bytes.
    /// @return nextExpiry Its earliest live expiry, unix seconds, or the greatest time when there is none.
    function requireMarket(bytes calldata market) external pure returns (uint256 nextExpiry);

    /// @notice Reverts unless a market is within the bands, and, where there is one before it, within the change limits. What one of the two
    ///         does not quote is bounded by the bands alone.
    /// @param market Bytes of a valid market: they are read without another check.
    /// @param previous Bytes of the valid market before it, not of a later time; empty if there is none.
    function check(bytes calldata market, bytes calldata previous) external view;
}
