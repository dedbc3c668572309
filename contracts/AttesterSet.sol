// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Arrays } from "@openzeppelin/contracts/utils/Arrays.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { EnumerableSet } from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import { IAttesterSet } from "./interfaces/IAttesterSet.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IProtocolErrors } from "./interfaces/IProtocolErrors.sol";
import { Signers } from "./libraries/Signers.sol";
import { Range } from "./libraries/Range.sol";

/// @title Members, their bonds, and when their signatures count
contract AttesterSet is IAttesterSet, IProtocolErrors, AccessControl, ReentrancyGuardTransient {
    using EnumerableSet for EnumerableSet.AddressSet;
    using SafeERC20 for IERC20;

    /// @dev One slot, so that the check of a signer is one read. Times are zero unless set; `activeUntil` while bonded is `NEVER` until the
    ///      member leaves.
    struct Member {
        uint128 bond;
        uint40 activeFrom;
        uint40 activeUntil;
        uint40 bondOpensAt;
        Standing standing;
    }

    /// @dev A threshold, and since when it holds.
    struct Rule {
        uint64 since;
        uint8 threshold;
    }

    /// @dev Where a member's fields are in its slot.
    uint256 private constant ACTIVE_FROM_SHIFT = 128;
    uint256 private constant ACTIVE_UNTIL_SHIFT = 168;
    uint256 private constant STANDING_SHIFT = 248;
    uint40 private constant NEVER = type(uint40).max;
    int256 private constant MAX_DELAY = 365 days;

    /// @inheritdoc IAttesterSet
    address public immutable bondToken;
    /// @inheritdoc IAttesterSet
    uint256 public immutable bond;
    /// @notice What a whole bond is worth, E8: it decides how much may leave on epochs that can still be disputed.
    uint256 public immutable bondValueE8;
    /// @notice Seconds from the payment of a bond to the first signature that counts.
    uint64 public immutable joinDelay;
    /// @notice Seconds from leaving to the first signature that does not count.
    uint64 public immutable leaveDelay;
    /// @notice Seconds from there to the opening of the bond.
    uint64 public immutable bondDelay;

    /// @notice What judges disputes; zero until connected.
    address public disputes;
    /// @inheritdoc IAttesterSet
    uint8 public threshold;
    /// @notice What receives the rest of slashed bonds; zero until connected.
    address public fund;
    /// @notice Token units that would not move to whom they are owed.
    mapping(address => uint256) public kept;
    /// @dev Addresses that are active at once when they join, because everyone could see them from the start.
    mapping(address => bool) private _founder;
    mapping(address => Member) private _members;
    /// @dev All that are admitted, bonded or slashed.
    EnumerableSet.AddressSet private _known;
    Rule[] private _rules;

    /// @param admin May admit, expel, set the threshold and connect.
    /// @param bondToken_ The token that bonds are in. A fund that covers losses in another token cannot use it.
    /// @param bond_ What an attester pays to join, in token units.
    /// @param bondValueE8_ What that is worth, E8.
    /// @param threshold_ Signatures per epoch, from 1 to the number of founders.
    /// @param delays See IAttesterSet.Delays; each at most a year.
    /// @param founders Admitted from the start, and active as soon as their bonds are paid.
    constructor(
        address admin,
        address bondToken_,
        uint256 bond_,
        uint256 bondValueE8_,
        uint8 threshold_,
        Delays memory delays,
        address[] memory founders
    ) {
        require(bond_ != 0 && bond_ <= type(uint128).max, BondOutOfRange(bond_));
        Range.check("joinDelay", int256(uint256(delays.joinDelay)), 0, MAX_DELAY);
        Range.check("leaveDelay", int256(uint256(delays.leaveDelay)), 0, MAX_DELAY);
        Range.check("bondDelay", int256(uint256(delays.bondDelay)), 0, MAX_DELAY);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        bondToken = bondToken_;
        bond = bond_;
        bondValueE8 = bondValueE8_;
        joinDelay = delays.joinDelay;
        leaveDelay = delays.leaveDelay;
        bondDelay = delays.bondDelay;
        for (uint256 i = 0; i < founders.length; ++i) {
            _founder[founders[i]] = true;
            _admit(founders[i]);
        }
        _setThreshold(threshold_);
    }

    /// @inheritdoc IAttesterSet
    function connect(address disputes_, address fund_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        require(disputes == address(0), AlreadyConnected());
        require(disputes_ != address(0) && fund_ != address(0), ZeroAddress());
        disputes = disputes_;
        fund = fund_;
    }

    /// @inheritdoc IAttesterSet
    function admit(address attester) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _admit(attester);
    }

    /// @inheritdoc IAttesterSet
    function expel(address attester) external onlyRole(DEFAULT_ADMIN_ROLE) {
        Member storage member = _members[attester];
        if (member.standing != Standing.Admitted) return _leave(attester);
        member.standing = Standing.None;
        _founder[attester] = false;
        _known.remove(attester);
        emit AdmissionRevoked(attester);
    }

    /// @inheritdoc IAttesterSet
    function setThreshold(uint8 threshold_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setThreshold(threshold_);
    }

    /// @inheritdoc IAttesterSet
    function join(address attester) external nonReentrant {
        Member storage member = _require(attester, Standing.Admitted);
        uint40 activeFrom = uint40(block.timestamp) + (_founder[attester] ? 0 : uint40(joinDelay));
        // Founders are so once: who comes back is as new.
        _founder[attester] = false;
        member.standing = Standing.Bonded;
        member.activeFrom = activeFrom;
        member.activeUntil = NEVER;
        emit AttesterJoined(attester, activeFrom);
        _pay(attester, member);
    }

    /// @inheritdoc IAttesterSet
    function topUp(address attester) external nonReentrant {
        Member storage member = _require(attester, Standing.Bonded);
        require(member.bond < bond, BondIsWhole(attester));
        _pay(attester, member);
    }

    /// @inheritdoc IAttesterSet
    function leave() external {
        _leave(msg.sender);
    }

    /// @inheritdoc IAttesterSet
    function withdrawBond(address to) external nonReentrant {
        Member storage member = _require(msg.sender, Standing.Bonded);
        uint64 opensAt = member.bondOpensAt;
        require(opensAt != 0 && block.timestamp >= opensAt, BondNotOpen(msg.sender, opensAt));
        uint256 amount = member.bond;
        delete _members[msg.sender];
        _known.remove(msg.sender);
        emit BondChanged(msg.sender, 0);
        IERC20(bondToken).safeTransfer(to, amount);
    }

    /// @inheritdoc IAttesterSet
    function penalize(
        address[] calldata signers,
        uint256 each,
        address claimant,
        uint256 reward,
        bool expelled
    ) external nonReentrant returns (uint256 paid) {
        require(msg.sender == disputes, NotConnected(msg.sender));
        uint256 taken = 0;
        for (uint256 i = 0; i < signers.length; ++i) taken += _take(signers[i], each, expelled);
        paid = expelled ? taken / 2 : taken;
        if (reward < paid) paid = reward;
        _send(claimant, paid);
        _send(fund, taken - paid);
    }

    /// @inheritdoc IAttesterSet
    function collect(address to) external nonReentrant {
        uint256 amount = kept[to];
        require(amount != 0, NothingKept(to));
        kept[to] = 0;
        IERC20(bondToken).safeTransfer(to, amount);
    }

    /// @inheritdoc IAttesterSet
    function requireQuorum(bytes32 signed, bytes calldata signatures) external view {
        uint256 count = Signers.count(signatures);
        uint256 least = threshold;
        require(count == least, IEpochRegistry.WrongSignatureCount(count, least));
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            previous = Signers.next(signed, signatures, i, previous);
            require(_isActive(_members[previous]), IEpochRegistry.NotAttester(previous));
        }
    }

    /// @inheritdoc IAttesterSet
    function isAttester(address attester) public view returns (bool) {
        return _isActive(_members[attester]);
    }

    /// @inheritdoc IAttesterSet
    function isAccountable(address attester) external view returns (bool) {
        return _members[attester].standing >= Standing.Bonded;
    }

    /// @inheritdoc IAttesterSet
    function attesters() external view returns (address[] memory active) {
        address[] memory all = _known.values();
        uint256 count = 0;
        for (uint256 i = 0; i < all.length; ++i) {
            if (isAttester(all[i])) all[count++] = all[i];
        }
        active = new address[](count);
        for (uint256 i = 0; i < count; ++i) active[i] = all[i];
        Arrays.sort(active);
    }

    /// @inheritdoc IAttesterSet
    function leastThresholdSince(uint64 time) external view returns (uint8 least) {
        least = threshold;
        for (uint256 i = _rules.length; i != 0;) {
            Rule memory rule = _rules[--i];
            if (rule.threshold < least) least = rule.threshold;
            if (rule.since < time) break;
        }
    }

    /// @inheritdoc IAttesterSet
    function bondOf(address attester) external view returns (uint256) {
        return _members[attester].bond;
    }

    /// @inheritdoc IAttesterSet
    function slashableE8() external view returns (uint256) {
        return threshold * bondValueE8;
    }

    /// @inheritdoc IAttesterSet
    function statusOf(address attester) external view returns (Status memory) {
        Member memory member = _members[attester];
        uint40 until = member.activeUntil == NEVER ? 0 : member.activeUntil;
        return
            Status(
                member.standing,
                isAttester(attester),
                member.bond,
                member.activeFrom,
                until,
                member.bondOpensAt
            );
    }

    function _admit(address attester) private {
        require(attester != address(0), ZeroAttester());
        _require(attester, Standing.None).standing = Standing.Admitted;
        _known.add(attester);
        emit AttesterAdmitted(attester);
    }

    function _setThreshold(uint8 threshold_) private {
        uint256 count = _staying();
        require(threshold_ != 0 && threshold_ <= count, ThresholdOutOfRange(threshold_, count));
        threshold = threshold_;
        _rules.push(Rule(uint64(block.timestamp), threshold_));
        emit ThresholdSet(threshold_);
    }

    function _leave(address attester) private {
        Member storage member = _require(attester, Standing.Bonded);
        require(member.activeUntil == NEVER, AlreadyLeaving(attester, member.activeUntil));
        uint40 until = uint40(block.timestamp) + uint40(leaveDelay);
        member.activeUntil = until;
        member.bondOpensAt = until + uint40(bondDelay);
        emit AttesterLeaving(attester, until, member.bondOpensAt);
    }

    /// @dev Brings a bond to the whole with tokens of the caller, of whom exactly the missing part must arrive.
    function _pay(address attester, Member storage member) private {
        uint256 missing = bond - member.bond;
        member.bond = uint128(bond);
        emit BondChanged(attester, bond);
        uint256 before = IERC20(bondToken).balanceOf(address(this));
        IERC20(bondToken).safeTransferFrom(msg.sender, address(this), missing);
        uint256 received = IERC20(bondToken).balanceOf(address(this)) - before;
        require(received == missing, TransferShort(missing, received));
    }

    function _take(address signer, uint256 each, bool expelled) private returns (uint256 taken) {
        Member memory found = _members[signer];
        // Who has nothing left must not keep what it signed from being invalidated.
        if (found.standing != Standing.Bonded) return 0;
        taken = expelled || each > found.bond ? found.bond : each;
        found.bond -= uint128(taken);
        if (expelled) {
            // Stays among the known, where nothing but a view looks: to find and remove it there would cost the claimant more gas than
            // all else here.
            found.standing = Standing.Slashed;
            emit AttesterSlashed(signer, taken);
        } else {
            emit BondChanged(signer, found.bond);
        }
        _members[signer] = found;
    }

    /// @dev A receiver that the token refuses must not keep a lie from being punished: what does not move is kept for it.
    function _send(address to, uint256 amount) private {
        if (amount == 0 || IERC20(bondToken).trySafeTransfer(to, amount)) return;
        kept[to] += amount;
        emit PaymentKept(to, amount);
    }

    /// @dev How many are admitted or bonded and not leaving.
    function _staying() private view returns (uint256 count) {
        address[] memory all = _known.values();
        for (uint256 i = 0; i < all.length; ++i) {
            Member memory member = _members[all[i]];
            bool isMember = member.standing == Standing.Admitted || member.standing == Standing.Bonded;
            if (isMember && (member.activeUntil == 0 || member.activeUntil == NEVER)) ++count;
        }
    }

    function _isActive(Member storage member) private view returns (bool) {
        uint256 word;
        // The member's slot, read once. The return equals
        //     member.standing == Standing.Bonded && member.bond >= bond && member.activeFrom <= block.timestamp &&
        //     block.timestamp < member.activeUntil
        assembly ("memory-safe") {
            word := sload(member.slot)
        }
        return
            word >> STANDING_SHIFT == uint256(Standing.Bonded) &&
            uint128(word) >= bond &&
            uint40(word >> ACTIVE_FROM_SHIFT) <= block.timestamp &&
            block.timestamp < uint40(word >> ACTIVE_UNTIL_SHIFT);
    }

    function _require(address attester, Standing standing) private view returns (Member storage member) {
        member = _members[attester];
        require(member.standing == standing, WrongStanding(attester, member.standing));
    }
}
