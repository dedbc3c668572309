// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Instruments: underlyings, their expiries and strikes, and which combinations may be traded
/// @notice An instrument id has 32 bits: underlying (6), expiry index (10: 0 spot, 1 perpetual, 2.. dated), strike index
///         (15: 0 future, 1.. option), and one bit for a put. Lists only grow, so an id means the same for ever.
interface IInstrumentRegistry {
    /// @notice A new underlying; its spot and perpetual are listed.
    event UnderlyingAdded(uint8 indexed underlying, string symbol);
    /// @notice A new expiry (unix seconds) of an underlying, under the index that ids use.
    event ExpiryAdded(uint8 indexed underlying, uint16 index, uint32 expiry);
    /// @notice A new strike (E8) of an underlying, under the index that ids use.
    event StrikeAdded(uint8 indexed underlying, uint16 index, uint64 strike);
    /// @notice An instrument may be traded from now on.
    event InstrumentListed(uint32 indexed id);

    /// @notice An underlying without a symbol.
    error EmptySymbol();
    /// @notice A symbol that another underlying has.
    error DuplicateSymbol(string symbol);
    /// @notice A market has no room for another underlying.
    error TooManyUnderlyings(uint256 max);
    /// @notice An underlying that was never added.
    error UnknownUnderlying(uint256 underlying);
    /// @notice An expiry at or before the block's time.
    error ExpiryNotInFuture(uint256 expiry, uint256 time);
    /// @notice An expiry that the underlying already has.
    error DuplicateExpiry(uint256 underlying, uint256 expiry);
    /// @notice A strike (E8) that the underlying already has.
    error DuplicateStrike(uint256 underlying, uint256 strike);
    /// @notice No index is left for another expiry.
    error TooManyExpiries(uint256 underlying, uint256 max);
    /// @notice A market has no room for another live expiry of the underlying.
    error TooManyLiveExpiries(uint256 underlying, uint256 max);
    /// @notice No index is left for so many strikes.
    error TooManyStrikes(uint256 underlying, uint256 max);

    /// @notice Add an underlying and list its spot and its perpetual.
    /// @param symbol What people call it; not empty, not in use.
    /// @return id Its id, from 1.
    function addUnderlying(string calldata symbol) external returns (uint8 id);

    /// @notice Add an expiry to an underlying.
    /// @param underlying Its id.
    /// @param expiry Unix seconds, after the block's time, not in use.
    /// @return index The index that ids use; the first is 2.
    function addExpiry(uint8 underlying, uint32 expiry) external returns (uint16 index);

    /// @notice Add strikes to an underlying, in the order given. A strike given twice gets two indices: two instruments, one payoff.
    /// @param underlying Its id.
    /// @param strikesE8 Strikes, E8, each within the range of the specification.
    /// @return first The index of the first one; the first of all is 1.
    function addStrikes(uint8 underlying, uint64[] calldata strikesE8) external returns (uint16 first);

    /// @notice Allow instruments to be traded. Their underlying, expiry and strike must exist; listing again changes nothing.
    /// @param ids Instrument ids.
    function list(uint32[] calldata ids) external;

    /// @notice How many underlyings there are; their ids are 1 to this number.
    function underlyingCount() external view returns (uint256);

    /// @notice Goes up whenever an underlying or an expiry is added: while it stays, what a market must quote stays, too, but for expiries
    ///         that pass.
    function termsVersion() external view returns (uint40);

    /// @notice The symbol of an underlying.
    /// @param underlying Its id.
    function symbolOf(uint8 underlying) external view returns (string memory);

    /// @notice All expiries of an underlying, unix seconds; the first has index 2.
    /// @param underlying Its id.
    function expiries(uint8 underlying) external view returns (uint32[] memory);

    /// @notice Expiries of an underlying in order of index, without the first `start`; empty when there are no more.
    /// @param underlying Its id.
    /// @param start How many to leave out.
    function expiriesFrom(uint8 underlying, uint256 start) external view returns (uint32[] memory);

    /// @notice All strikes of an underlying, E8; the first has index 1.
    /// @param underlying Its id.
    function strikes(uint8 underlying) external view returns (uint64[] memory);

    /// @notice Whether an instrument may be traded.
    /// @param id Its id.
    function isListed(uint32 id) external view returns (bool);

    /// @notice Whether an instrument may be traded, and until when.
    /// @param id Its id.
    /// @return listed Whether it is listed; the rest is zero if it is not.
    /// @return expiry Unix seconds, 0 for spot and perpetual.
    /// @return strike E8, 0 unless an option.
    function listing(uint32 id) external view returns (bool listed, uint256 expiry, uint256 strike);

    /// @notice Expiry and strike of every position of a portfolio; reverts with UnknownInstrument(id) for what is not registered.
    /// @param portfolio Packed portfolio bytes; only their length is checked here.
    /// @return One word per position: expiry (unix seconds, 0 for spot and perpetual) << 64 | strike (E8, 0 unless an option).
    function terms(bytes calldata portfolio) external view returns (uint256[] memory);

    /// @notice `terms` with the logarithm of every strike, for pricing.
    /// @param portfolio Packed portfolio bytes; only their length is checked here.
    /// @return One word per position: expiry (unix seconds) << 136 | ln(strike) (Q64) << 64 | strike (E8); what there is not is zero.
    function pricingTerms(bytes calldata portfolio) external view returns (uint256[] memory);

    /// @notice Expiries and count of strikes of an underlying as they are stored, for contracts that keep a copy.
    /// @param underlying Its id.
    /// @param start How many words of expiries to leave out.
    /// @return head From the low bits: count of expiries (16 bits), count of strikes (15), a bit that is set, the first 7 expiries (32 each).
    /// @return words The other expiries, 8 to a word from the low bits, without the first `start` words.
    function packedTerms(
        uint8 underlying,
        uint256 start
    ) external view returns (uint256 head, uint256[] memory words);
}
