// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IAttesterSet } from "../../contracts/interfaces/IAttesterSet.sol";
import { IDisputes } from "../../contracts/interfaces/IDisputes.sol";
import { IEpochRegistry } from "../../contracts/interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "../../contracts/interfaces/IInstrumentRegistry.sol";
import { IInsuranceFund } from "../../contracts/interfaces/IInsuranceFund.sol";
import { ILiquidationHouse } from "../../contracts/interfaces/ILiquidationHouse.sol";
import { IMarginCourt } from "../../contracts/interfaces/IMarginCourt.sol";
import { IMarginVault } from "../../contracts/interfaces/IMarginVault.sol";
import { IMarketBounds } from "../../contracts/interfaces/IMarketBounds.sol";
import { IModelRegistry } from "../../contracts/interfaces/IModelRegistry.sol";
import { IPriceGuard } from "../../contracts/interfaces/IPriceGuard.sol";
import { Encoding, INSTRUMENTS } from "./Encoding.sol";
import { Vm } from "./Vm.sol";

/// @dev OpenZeppelin's access control, as far as a deployment needs it.
interface IRoles {
    function grantRole(bytes32 role, address account) external;
}

/// @dev The test token.
interface IToken {
    function mint(address to, uint256 amount) external;

    function approve(address spender, uint256 amount) external returns (bool);

    function transfer(address to, uint256 amount) external returns (bool);

    function balanceOf(address holder) external view returns (uint256);
}

/// @dev The test feed.
interface IFeed {
    function setAnswer(int256 answer, uint256 updatedAt) external;
}

/// @title A venue from the creation code that the project's own compiler made, with this contract as its admin
abstract contract Venue {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    string private constant FOLDER = "build/foundry/";

    uint256 internal constant START = 1_800_000_000;
    uint64 internal constant MAX_AGE = 1 hours;
    uint64 internal constant MIN_DEPTH = 2;
    uint64 internal constant DISPUTE_WINDOW = 6 hours;
    uint64 internal constant JOIN_DELAY = 1 minutes;
    uint64 internal constant SETTLE_DELAY = 4 hours;
    uint32 internal constant FEED_AGE = 2 hours;
    uint16 internal constant DEVIATION_BPS = 500;
    uint16 internal constant DELTA_BPS = 200;
    uint8 internal constant THRESHOLD = 3;
    uint256 internal constant FOUNDERS = 5;
    uint256 internal constant BOND = 10_000e6;
    uint256 internal constant BOND_E8 = 10_000e8;
    uint256 internal constant BOUNTY = 300e6;
    uint256 internal constant MATERIALITY_E8 = 100e8;
    uint256 internal constant DISCOUNT_WAD = 5e16;
    uint256 internal constant MAX_SLICE_WAD = 25e16;
    uint256 internal constant MAX_WITHDRAWAL_E8 = 6_000e8;
    uint256 internal constant MAX_TRADE_E8 = 400_000e8;
    uint256 internal constant SHARE_BPS = 5_000;
    uint256 internal constant CHARGE_BPS = 50;
    /// @dev What may be out on signatures: a share of what a quorum loses.
    uint256 internal constant LIMIT_E8 = (BOND_E8 * THRESHOLD * SHARE_BPS) / 10_000;

    IToken internal immutable usd;
    IToken internal immutable coin;
    IFeed internal immutable feed;
    IInstrumentRegistry internal immutable instruments;
    IModelRegistry internal immutable models;
    IAttesterSet internal immutable attesterSet;
    IEpochRegistry internal immutable epochs;
    IMarginCourt internal immutable court;
    IMarginVault internal immutable vault;
    ILiquidationHouse internal immutable house;
    IInsuranceFund internal immutable fund;
    IDisputes internal immutable disputes;
    bytes32 internal immutable modelHash;
    /// @dev How many scenarios and charges the model has.
    uint256 internal immutable indexCount;

    uint32[2] internal expiries = [uint32(START + 10 hours), uint32(START + 5 days)];
    /// @dev Keys of the attesters whose bonds are held.
    uint256[] internal attesterKeys;
    uint256 private _lastKey = 1_000_000;

    constructor() {
        vm.warp(START);
        vm.roll(1_000);
        usd = IToken(_create("TestToken", abi.encode("US dollar", "USD", uint8(6))));
        coin = IToken(_create("TestToken", abi.encode("Bitcoin", "BTC", uint8(8))));
        feed = IFeed(_create("TestFeed", abi.encode(uint8(8))));
        address admin = address(this);
        instruments = IInstrumentRegistry(_create("InstrumentRegistry", abi.encode(admin)));
        models = IModelRegistry(_create("ModelRegistry", abi.encode(admin)));
        attesterSet = IAttesterSet(_create("AttesterSet", _attesterArguments()));
        address guard = _create("PriceGuard", abi.encode(admin));
        address bounds = _create("MarketBounds", abi.encode(admin));
        epochs = IEpochRegistry(_create("EpochRegistry", _epochArguments(guard, bounds)));
        court = IMarginCourt(_create("MarginCourt", abi.encode(instruments, models, epochs)));
        vault = IMarginVault(
            _create("MarginVault", abi.encode(admin, instruments, epochs, court, SETTLE_DELAY, usd))
        );
        house = ILiquidationHouse(
            _create(
                "LiquidationHouse",
                abi.encode(vault, epochs, court, DISCOUNT_WAD, MAX_SLICE_WAD, uint256(10e8))
            )
        );
        fund = IInsuranceFund(_create("InsuranceFund", abi.encode(vault)));
        disputes = IDisputes(
            _create("Disputes", abi.encode(epochs, vault, court, attesterSet, MATERIALITY_E8, BOUNTY))
        );
        vault.connect(address(house));
        epochs.connect(address(disputes));
        attesterSet.connect(address(disputes), address(fund));
        modelHash = _configure(guard, bounds);
        indexCount = court.losses(modelHash, "", _plainMarket(), Encoding.UNDERLYING).length;
        usd.approve(address(attesterSet), type(uint256).max);
        usd.approve(address(vault), type(uint256).max);
        usd.mint(admin, 1e18);
        for (uint256 i = 0; i < attesterKeys.length; ++i) attesterSet.join(vm.addr(attesterKeys[i]));
    }

    /// @dev Pays what lies have cost, and puts new attesters in the place of those who are out.
    function _mendAttesters() internal {
        bool joined = false;
        for (uint256 i = 0; i < attesterKeys.length; ++i) {
            address member = vm.addr(attesterKeys[i]);
            if (attesterSet.bondOf(member) == BOND) continue;
            if (attesterSet.statusOf(member).standing == IAttesterSet.Standing.Bonded) {
                attesterSet.topUp(member);
                continue;
            }
            joined = true;
            uint256 key = ++_lastKey;
            attesterKeys[i] = key;
            attesterSet.admit(vm.addr(key));
            attesterSet.join(vm.addr(key));
        }
        _sortAttesters();
        if (joined) _pass(JOIN_DELAY);
    }

    /// @dev The signatures of some of the attesters, `skip` choosing which, by increasing address.
    function _attest(bytes32 structHash, uint256 skip) internal view returns (bytes memory signatures) {
        bytes32 digest = Encoding.digest(address(epochs), structHash);
        uint256 left = attesterKeys.length - THRESHOLD;
        for (uint256 i = 0; i < attesterKeys.length; ++i) {
            if (left != 0 && (skip >> i) & 1 != 0) {
                --left;
                continue;
            }
            if (signatures.length == 65 * uint256(THRESHOLD)) break;
            signatures = bytes.concat(signatures, _sign(attesterKeys[i], digest));
        }
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Lets time pass, a block every twelve seconds.
    function _pass(uint256 time) internal {
        vm.warp(block.timestamp + time);
        vm.roll(block.number + time / 12 + 1);
    }

    /// @dev A market to ask the model's size with.
    function _plainMarket() internal view returns (bytes memory) {
        Encoding.Market memory m;
        m.time = uint64(START);
        (m.token, m.spot, m.perpetual, m.vol) = (1e8, 100_000e8, 100_000e8, 6e17);
        m.forwards = [m.spot, m.spot];
        return Encoding.market(m, expiries);
    }

    function _create(string memory name, bytes memory arguments) private returns (address made) {
        string memory path = string.concat(FOLDER, name, ".hex");
        bytes memory code = bytes.concat(vm.parseBytes(vm.readFile(path)), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        require(made != address(0), string.concat(name, " does not deploy"));
    }

    function _attesterArguments() private returns (bytes memory) {
        for (uint256 i = 0; i < FOUNDERS; ++i) attesterKeys.push(++_lastKey);
        _sortAttesters();
        address[] memory founders = new address[](FOUNDERS);
        for (uint256 i = 0; i < FOUNDERS; ++i) founders[i] = vm.addr(attesterKeys[i]);
        uint64 bondDelay = DISPUTE_WINDOW + MAX_AGE + 1 hours;
        IAttesterSet.Delays memory delays = IAttesterSet.Delays(JOIN_DELAY, 1 hours, bondDelay);
        return abi.encode(address(this), usd, BOND, BOND_E8, THRESHOLD, delays, founders);
    }

    function _epochArguments(address guard, address bounds) private view returns (bytes memory) {
        // The epochs come first, then the court, then the vault.
        address vaultToBe = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        address[6] memory parts = [
            address(attesterSet),
            address(models),
            address(instruments),
            guard,
            bounds,
            vaultToBe
        ];
        IEpochRegistry.Policy memory policy = IEpochRegistry.Policy(
            uint64(MAX_WITHDRAWAL_E8),
            uint64(MAX_TRADE_E8),
            DELTA_BPS,
            uint16(SHARE_BPS),
            uint16(CHARGE_BPS)
        );
        return abi.encode(address(this), parts, MAX_AGE, MIN_DEPTH, DISPUTE_WINDOW, policy);
    }

    function _configure(address guard, address bounds) private returns (bytes32 hash) {
        IRoles(address(instruments)).grantRole(keccak256("LISTER_ROLE"), address(this));
        IRoles(address(models)).grantRole(keccak256("MODEL_ROLE"), address(this));
        instruments.addUnderlying("BTC");
        vault.setCollateral(Encoding.UNDERLYING, address(coin));
        IPriceGuard.Source[] memory sources = new IPriceGuard.Source[](1);
        sources[0] = IPriceGuard.Source(address(feed), FEED_AGE);
        IPriceGuard(guard).setFeeds(Encoding.UNDERLYING, sources, 1, DEVIATION_BPS);
        IMarketBounds(bounds).setLimits(
            Encoding.UNDERLYING,
            IMarketBounds.Limits(
                50_000,
                5_000_000,
                1_000_000,
                20_000,
                250_000,
                -200_000,
                500_000,
                10_000,
                2_000,
                20_000,
                5_000,
                250_000,
                100_000,
                5_000,
                250_000,
                250_000
            )
        );
        IMarketBounds(bounds).setTokenLimits(IMarketBounds.TokenLimits(50_000, 50_000));
        for (uint256 i = 0; i < 2; ++i) instruments.addExpiry(Encoding.UNDERLYING, expiries[i]);
        instruments.addStrikes(Encoding.UNDERLYING, Encoding.strikes());
        court.syncInstruments(Encoding.UNDERLYING);
        uint32[INSTRUMENTS] memory all = Encoding.ids();
        uint32[] memory dated = new uint32[](INSTRUMENTS - 2);
        for (uint256 i = 0; i < dated.length; ++i) dated[i] = all[i + 2];
        instruments.list(dated);
        return models.publish(vm.parseBytes(vm.readFile(string.concat(FOLDER, "model.hex"))));
    }

    function _sortAttesters() private {
        for (uint256 i = 1; i < attesterKeys.length; ++i) {
            for (uint256 j = i; j > 0 && vm.addr(attesterKeys[j]) < vm.addr(attesterKeys[j - 1]); --j) {
                (attesterKeys[j], attesterKeys[j - 1]) = (attesterKeys[j - 1], attesterKeys[j]);
            }
        }
    }
}
