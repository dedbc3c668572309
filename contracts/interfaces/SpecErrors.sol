// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Errors of the specification
/// @notice What every implementation refuses, under the same names with the same arguments in the same order.
interface ISpecErrors {
    /// @notice A field lies outside its inclusive range; all values are in the field's own scale.
    error OutOfRange(string field, int256 value, int256 low, int256 high);
    /// @notice A list that must increase strictly does not.
    error NotIncreasing(uint256 previous, uint256 value);
    /// @notice A smile whose least total variance (WAD) is negative.
    error NegativeVariance(int256 minimumVariance);
    /// @notice Bytes that end too early, or go on after their last field.
    error BadLength(uint256 length);
    /// @notice Model bytes of an unknown version.
    error BadVersion(uint256 version);
    /// @notice A division by zero or by a negative number.
    error DivisionByZero(int256 denominator);

    /// @notice Portfolio bytes whose length is not a multiple of 12.
    error BadPortfolioLength(uint256 length);
    /// @notice A portfolio with more positions than allowed.
    error TooManyPositions(uint256 count, uint256 max);
    /// @notice Instrument ids that do not increase strictly: unsorted or duplicate.
    error PositionsNotSorted(uint256 previous, uint256 id);
    /// @notice A position of size zero.
    error ZeroQuantity(uint256 id);
    /// @notice A position (E8) beyond the greatest size, either sign.
    error QuantityOutOfRange(uint256 id, int256 quantity);
    /// @notice An id whose underlying, expiry or strike is not registered.
    error UnknownInstrument(uint256 id);

    /// @notice The market has no section for an underlying.
    error MissingUnderlying(uint256 underlying);
    /// @notice The market has neither a quote nor a settlement price for an expiry.
    error MissingExpiry(uint256 expiry);
    /// @notice The model has no section for an underlying.
    error MissingModelSection(uint256 underlying);

    /// @notice A leaf index at or beyond the count of leaves.
    error LeafOutOfRange(uint256 index, uint256 count);
    /// @notice A proof that is not as long as the tree is deep.
    error BadProofLength(uint256 length, uint256 depth);
    /// @notice A proof that leads to another root.
    error WrongRoot(bytes32 root, bytes32 expected);
    /// @notice More leaves than a tree of the greatest depth holds.
    error TooManyLeaves(uint256 count);
}
