// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Handler } from "./Handler.sol";
import { Vm } from "./Vm.sol";

/// @title What must hold of the venue whatever anybody does
/// @notice One campaign checks everything: several would go through the same actions again. What failed stands in the message.
contract Invariants {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Handler private handler;

    function setUp() external {
        handler = new Handler();
    }

    /// @notice What Foundry calls: the handler alone, and of it the actions alone.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _selectors());
    }

    function invariant_venue() external view {
        handler.checkMirror();
        handler.checkTokens();
        handler.checkOutflow();
        handler.checkStandings();
    }

    /// @notice Foundry calls this after each run: what was done goes to a file.
    function afterInvariant() external {
        string[35] memory names = _names();
        string memory line = "";
        for (uint256 i = 0; i < names.length; ++i) {
            (uint256 tried, uint256 done) = handler.countOf(names[i]);
            line = string.concat(line, names[i], "=", vm.toString(done), "/", vm.toString(tried), ";");
        }
        vm.writeLine("build/foundry/runs.txt", line);
    }

    function _selectors() private pure returns (bytes4[] memory all) {
        all = new bytes4[](25);
        all[0] = Handler.deposit.selector;
        all[1] = Handler.depositSpot.selector;
        all[2] = Handler.withdraw.selector;
        all[3] = Handler.withdrawFull.selector;
        all[4] = Handler.withdrawUnencumbered.selector;
        all[5] = Handler.withdrawSpot.selector;
        all[6] = Handler.trade.selector;
        all[7] = Handler.tradeOnTickets.selector;
        all[8] = Handler.callMargin.selector;
        all[9] = Handler.liquidate.selector;
        all[10] = Handler.releaseCalled.selector;
        all[11] = Handler.settleExpired.selector;
        all[12] = Handler.cover.selector;
        all[13] = Handler.donate.selector;
        all[14] = Handler.pass.selector;
        all[15] = Handler.post.selector;
        all[16] = Handler.moveFeed.selector;
        all[17] = Handler.countOut.selector;
        all[18] = Handler.attackTrueLeaf.selector;
        all[19] = Handler.attackTrueIdentity.selector;
        all[20] = Handler.attackTrueTicket.selector;
        all[21] = Handler.lie.selector;
        all[22] = Handler.lieInTicket.selector;
        all[23] = Handler.theft.selector;
        all[24] = Handler.squeeze.selector;
    }

    function _names() private pure returns (string[35] memory) {
        return
            [
                "deposit",
                "depositSpot",
                "withdraw",
                "withdrawFull",
                "withdrawUnencumbered",
                "withdrawSpot",
                "trade",
                "tradeOnTickets",
                "squeeze",
                "callMargin",
                "liquidate",
                "releaseCalled",
                "settleExpired",
                "cover",
                "donate",
                "pass",
                "post",
                "moveFeed",
                "countOut",
                "attackTrueLeaf",
                "attackTrueIdentity",
                "attackTrueTicket",
                "lie",
                "lieInTicket",
                "theft",
                "lie: portfolio value",
                "lie: spot value",
                "lie: initial margin",
                "lie: maintenance margin",
                "lie: worst scenario",
                "lie: malformed worst scenarios",
                "lie: another portfolio",
                "lie: another account",
                "lie: one leaf too many",
                "lie: one leaf too few"
            ];
    }
}
