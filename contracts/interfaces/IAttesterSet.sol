// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Who may sign epochs, how many of them must, and what they stand to lose
/// @notice An admitted attester is active from a while after somebody paid its bond until a while after it leaves; its bond opens only
///         when nothing it signed can be disputed any more. Times in unix seconds, bonds in token units.
/// @notice Safety: fewer than `threshold` attesters collude. Liveness: at least `threshold` of them work. Safety of the bond token: it moves
///         exactly what it is told to, and keeps its value. Its liveness: it transfers; where it will not, what is owed is kept here.
/// @dev `bondDelay` must be at least the dispute window, the greatest age of an epoch and a grace together: the deployer's check.
interface IAttesterSet {
    /// @notice What an address is here. `Slashed` is for good.
    enum Standing {
        None,
        Admitted,
        Bonded,
        Slashed
    }

    /// @notice Seconds from the payment of a bond to the first signature that counts, from leaving to the first that does not, and from
    ///         there to the opening of the bond.
    struct Delays {
        uint64 joinDelay;
        uint64 leaveDelay;
        uint64 bondDelay;
    }

    /// @notice An attester as its operator sees it; `activeUntil` and `bondOpensAt` are zero unless it is leaving.
    struct Status {
        Standing standing;
        bool active;
        uint256 bond;
        uint64 activeFrom;
        uint64 activeUntil;
        uint64 bondOpensAt;
    }

    /// @notice May join now.
    event AttesterAdmitted(address indexed attester);
    /// @notice May no longer join; it never had.
    event AdmissionRevoked(address indexed attester);
    /// @notice Its bond was paid; its signatures count from `activeFrom` on.
    event AttesterJoined(address indexed attester, uint64 activeFrom);
    /// @notice Its signatures count until just before `activeUntil`; its bond opens at `bondOpensAt`.
    event AttesterLeaving(address indexed attester, uint64 activeUntil, uint64 bondOpensAt);
    /// @notice An attester's bond now, in token units. Below a whole bond its signatures do not count.
    event BondChanged(address indexed attester, uint256 bond);
    /// @notice Out at once and for good; `amount` was taken, in token units: its whole bond.
    event AttesterSlashed(address indexed attester, uint256 amount);
    /// @notice How many signatures an epoch carries from now on.
    event ThresholdSet(uint8 threshold);
    /// @notice The bond token would not move to whom it is owed; it is kept here, in token units.
    event PaymentKept(address indexed to, uint256 amount);

    /// @notice The zero address as an attester.
    error ZeroAttester();
    /// @notice A bond of zero, or beyond 2^128.
    error BondOutOfRange(uint256 bond);
    /// @notice A threshold of zero, or above the number of members: those admitted or bonded that are not leaving.
    error ThresholdOutOfRange(uint256 threshold, uint256 count);
    /// @notice The address is something else than what the call asks for.
    error WrongStanding(address attester, Standing standing);
    /// @notice The attester is leaving already.
    error AlreadyLeaving(address attester, uint64 activeUntil);
    /// @notice The attester's bond is whole.
    error BondIsWhole(address attester);
    /// @notice The bond is not open: it opens at `opensAt`, zero unless the attester is leaving.
    error BondNotOpen(address attester, uint64 opensAt);
    /// @notice The balance did not grow by exactly the amount.
    error TransferShort(uint256 expected, uint256 received);
    /// @notice Nothing is kept for the address.
    error NothingKept(address to);

    /// @notice Connect what judges disputes and what receives the rest of slashed bonds, once. Admin only.
    /// @param disputes What may take bonds.
    /// @param fund What receives everything that no claimant does.
    function connect(address disputes, address fund) external;

    /// @notice Let an address join. Admin only. One that left may be admitted again once its bond is withdrawn, a slashed one never.
    /// @param attester The address.
    function admit(address attester) external;

    /// @notice Make a bonded attester leave, or revoke an admission. Admin only.
    /// @param attester The address.
    function expel(address attester) external;

    /// @notice Change how many signatures an epoch carries. Admin only.
    /// @param threshold From 1 to the number of members.
    function setThreshold(uint8 threshold) external;

    /// @notice Pay the bond of an admitted attester. Anyone may; the bond is the attester's from then on.
    /// @param attester The attester. One admitted at deployment is active at once.
    function join(address attester) external;

    /// @notice Make a reduced bond whole again. Anyone may.
    /// @param attester A bonded attester.
    function topUp(address attester) external;

    /// @notice Leave: the caller's signatures stop to count after `leaveDelay`.
    function leave() external;

    /// @notice Take the caller's bond out, once open. To sign again it has to be admitted and to join again.
    /// @param to Who receives it.
    function withdrawBond(address to) external;

    /// @notice Take from bonds. Disputes only. What a bond does not hold is not taken.
    /// @param signers Attesters, bonded or slashed.
    /// @param each Token units to take from every signer; the whole bond if `expelled`.
    /// @param claimant Who receives the reward.
    /// @param reward Token units to pay to the claimant, at most what was taken, and at most half of it if `expelled`. The rest goes to the
    ///        fund.
    /// @param expelled Whether the signers are out at once and for good.
    /// @return paid What the claimant was paid.
    function penalize(
        address[] calldata signers,
        uint256 each,
        address claimant,
        uint256 reward,
        bool expelled
    ) external returns (uint256 paid);

    /// @notice Send what the bond token once refused to move to an address. Anyone may.
    /// @param to Whom it is owed to.
    function collect(address to) external;

    /// @notice Whether an address's signatures count now.
    /// @param attester The address.
    function isAttester(address attester) external view returns (bool);

    /// @notice Refuse anything but exactly `threshold` low-s signatures of active attesters, by increasing address of the signer. Reverts with
    ///         the epoch registry's WrongSignatureLength, WrongSignatureCount, BadSignature, SignersNotIncreasing and NotAttester.
    /// @param signed The digest.
    /// @param signatures 65 bytes each: r, s, v.
    function requireQuorum(bytes32 signed, bytes calldata signatures) external view;

    /// @notice Whether an address answers for what it signed: its bond is held here, or it was slashed.
    /// @param attester The address.
    function isAccountable(address attester) external view returns (bool);

    /// @notice All attesters whose signatures count now, increasing.
    function attesters() external view returns (address[] memory);

    /// @notice How many signatures an epoch carries.
    function threshold() external view returns (uint8);

    /// @notice The least threshold there has been since a time, that time included.
    /// @param time Unix seconds.
    function leastThresholdSince(uint64 time) external view returns (uint8);

    /// @notice The bond held for an attester, in token units.
    /// @param attester The address.
    function bondOf(address attester) external view returns (uint256);

    /// @notice What a wrong epoch costs its signers at least, E8: threshold times the value of a bond.
    function slashableE8() external view returns (uint256);

    /// @notice Everything about an attester.
    /// @param attester The address.
    function statusOf(address attester) external view returns (Status memory);

    /// @notice The token that bonds are in.
    function bondToken() external view returns (address);

    /// @notice What an attester pays to join, in token units.
    function bond() external view returns (uint256);
}
