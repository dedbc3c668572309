"""Every command that needs a chain, on one local chain, in order of time: deployment, trading, the crash, liquidation, audit."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run
from cli.world import (
    ADMIN,
    ALICE,
    ATTESTER,
    BOB,
    COMMAND,
    KEEPER,
    LIQUIDATOR,
    SNAPSHOTS,
    World,
    address,
    key,
    plan,
    private_key,
    served_attester,
)
from marginproof.demo.tamper import Tamper
from marginproof.keeper.post import post, publish_leaves
from marginproof.keeper.propose import propose
from marginproof.protocol.localchain import LocalChain
from marginproof.protocol.replay import Replayer
from marginproof.protocol.signing import sign
from marginproof.spec.abridged import abridged_hash
from marginproof.spec.repricing import unpack_repricing

ALICES, BOBS, BACKING, RISKY = range(4)
CALL = "BTC-27MAR26-90000-C"
SHORT_PUT = "BTC-31JAN26-90000-P"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[World]:
    """A venue with four funded accounts, the first epoch and three trades; an attester serves all the while."""
    folder = tmp_path_factory.mktemp("world")
    with LocalChain(genesis_timestamp=SNAPSHOTS[0].time - 3_600) as chain:
        made = World(chain, folder)
        (folder / "plan.json").write_text(json.dumps(plan()))
        assert (
            made.run("deploy", "--config", folder / "plan.json", "-o", made.deployment, who=ADMIN).code == 0
        )
        for who in (ALICE, BOB, LIQUIDATOR):
            made.mint("cash", who, "1000000")
        made.mint("BTC", ALICE, "10")
        funding = (
            (ALICES, ALICE, "50000.5"),
            (BOBS, BOB, "400000"),
            (BACKING, LIQUIDATOR, "300000"),
            (RISKY, ALICE, "48500"),
        )
        for account, who, cash in funding:
            assert made.json("account", "open", who=who)["account"] == account
            made.json("account", "deposit", "--account", account, "--amount", cash, who=who)
        for account, amount in ((ALICES, "1.5"), (RISKY, "0.15")):
            made.json(
                "account", "deposit", "--account", account, "--amount", amount, "--asset", "BTC", who=ALICE
            )
        made.move_to(1)
        with served_attester(made, free_port) as url:
            made.attester = url
            assert posted(made)["header"]["round"] == 1
            trade(made, ALICES, BOBS, CALL, "-1", "5000")
            trade(made, ALICES, BOBS, SHORT_PUT, "-0.5", "1500")
            trade(made, RISKY, BOBS, "BTC-PERP", "3", "89338.3")
            yield made


def posted(world: World) -> Any:
    return world.json("keeper", "once", "--source", world.source, "--attester", world.attester, who=KEEPER)


def signed(world: World, account: int, name: str, quantity: str, price: str, *extra: object) -> Path:
    """A signed order in a file."""
    path = world.folder / f"order-{account}-{len(list(world.folder.iterdir()))}.json"
    who = BOB if account == BOBS else ALICE
    terms = ["--instrument", name, "--quantity", quantity, "--price", price, *extra]
    done = world.run("trade", "sign", "--account", account, *terms, "-o", path, who=who)
    assert done.code == 0, done.err
    return path


def trade(world: World, account: int, other: int, name: str, quantity: str, price: str) -> Any:
    """Both sign, somebody settles."""
    opposite = quantity[1:] if quantity.startswith("-") else f"-{quantity}"
    files = [signed(world, account, name, quantity, price), signed(world, other, name, opposite, price)]
    return world.json("trade", "settle", *files, who=KEEPER)


def test_the_outside_world_is_checked_too(world: World) -> None:
    for arguments, words in (
        (("clock", "1"), "allowed: "),
        (("clock", "crash:9"), "allowed: 1 to 6"),
        (("clock", "soon"), "whole numbers 1 to"),
        (("mint", "--to", "x", "--amount", "1"), "--to: 'x' is not an address"),
        (("mint", "--to", address(BOB), "--amount", "-1"), "--amount: '-1' is out of range"),
        (("mint", "--to", address(BOB), "--amount", "1", "--asset", "DOGE"), "allowed: cash, BTC, ETH"),
        (("feeds", "crash:0"), "allowed: 1 to 6"),
    ):
        done = world.run("testing", *arguments, who=ADMIN)
        assert (done.code, words in done.err) == (2, True), done.err


def test_the_court_answers_for_a_person(world: World) -> None:
    court = world.json("court", "recompute", "--account", ALICES)
    explained = world.json("explain", "--account", ALICES)
    assert court["agrees"] is True
    assert court["figures"]["initialMargin"] == explained["account"]["initialMargin"]
    assert court["figures"]["maintenanceMargin"] == explained["account"]["maintenanceMargin"]
    worst = world.json("court", "reprice", "--account", ALICES)
    assert worst["figures"] == court["figures"]
    assert worst["indices"] == court["indices"]
    milder = world.json("court", "reprice", "--account", ALICES, "--index", "BTC=11")
    assert milder["figures"]["portfolioValue"] == court["figures"]["portfolioValue"]
    assert Decimal(milder["figures"]["initialMargin"]) < Decimal(court["figures"]["initialMargin"])
    shown = world.run("court", "recompute", "--account", ALICES).out
    assert "Recomputed over all scenarios and charges" in shown
    assert "ours" in shown
    repriced = world.run("court", "reprice", "--account", ALICES, "--index", "BTC=11").out
    assert "Repriced under BTC 11 (" in repriced
    packed = bytes.fromhex(milder["packed"][2:])
    assert f"As a transaction: {len(packed)} bytes for repriceCompact, about {milder['gas']} gas." in repriced
    asked = unpack_repricing(packed)
    assert asked.choices[1] == 11
    shown = world.json("epoch", "show", str(milder["round"]))
    assert "0x" + abridged_hash(asked.market).hex() == shown["header"]["marketHash"]
    assert 21_000 < milder["gas"] < 200_000
    assert "ours" not in repriced


@pytest.mark.parametrize(
    ("choice", "code", "words"),
    [
        ("DOGE=1", 2, "'DOGE=1' is not accepted; allowed: SYMBOL=INDEX with a symbol of BTC, ETH"),
        ("BTC", 2, "an index 0 to 255"),
        ("BTC=256", 2, "an index 0 to 255"),
        ("BTC=99", 4, "ScenarioOutOfRange(index=99, count=34)"),
        ("ETH=0", 4, "WrongChoices"),
    ],
)
def test_the_court_refuses_what_it_cannot_judge(world: World, choice: str, code: int, words: str) -> None:
    done = world.run("court", "reprice", "--account", ALICES, "--index", choice)
    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_deploying_twice_needs_force(world: World) -> None:
    before = world.deployment.read_bytes()
    done = world.run("deploy", "--config", world.folder / "plan.json", "-o", world.deployment, who=ADMIN)
    assert done.code == 2
    assert "is there already" in done.err
    assert "--force" in done.err
    assert world.deployment.read_bytes() == before


def test_instruments_are_listed_by_name(world: World) -> None:
    names = [item["name"] for item in world.json("instrument", "list")]
    assert names[:4] == ["BTC", "BTC-PERP", "BTC-31JAN26", "BTC-31JAN26-60000-C"]
    assert "ETH-PERP" in names
    assert [i["name"] for i in world.json("instrument", "list", "--underlying", "ETH")] == ["ETH", "ETH-PERP"]
    assert CALL in world.run("instrument", "list", "--names").out
    assert "60000 to 90000" in world.run("instrument", "list").out
    assert "allowed: BTC, ETH" in world.run("instrument", "list", "--underlying", "DOGE").err


def test_a_new_venue_s_court_knows_its_instruments(world: World) -> None:
    venue = world.venue()
    for underlying in (1, 2):
        counts = [len(venue.call("InstrumentRegistry", name, underlying)) for name in ("expiries", "strikes")]
        assert venue.call("MarginCourt", "syncedInstruments", underlying) == [True, *counts]


def test_instruments_are_added_once(world: World) -> None:
    arguments = ("instrument", "add", "BTC-27FEB26", "--strikes", "80000,90000")
    first = world.json(*arguments, who=ADMIN)
    assert first["registered"] == ["expiry BTC-27FEB26", "strike 80000 of BTC"]
    assert len(first["listed"]) == 5
    assert first["synced"] == ["BTC"]
    assert world.json(*arguments, who=ADMIN) == {"registered": [], "listed": [], "synced": []}
    # As if a run had ended too soon.
    venue = world.venue()
    venue.send(venue.sender(key(ADMIN)), "InstrumentRegistry", "addStrikes", 1, [85_000 * 10**8])
    assert "The court knows all instruments of BTC." in world.run(*arguments, who=ADMIN).out
    assert world.json(*arguments, who=ADMIN)["synced"] == []
    for wrong, words in (
        (("DOGE-PERP",), "--new-underlying"),
        (("BTC-29FEB26",), "29FEB26"),
        (("BTC-PERP", "--strikes", "1"), "needs a future"),
        (("BTC-27FEB26", "--strikes", "1,x"), "'x'"),
    ):
        done = world.run("instrument", "add", *wrong, who=ADMIN)
        assert (done.code, words in done.err) == (2, True), done.err
    done = world.run("instrument", "add", "BTC-6MAR26", who=BOB)
    assert (done.code, "AccessControlUnauthorizedAccount" in done.err) == (4, True)


def test_accounts_are_shown_with_their_margin(world: World) -> None:
    listed = world.json("account", "list", "--margin")
    assert [item["account"] for item in listed] == [ALICES, BOBS, BACKING, RISKY]
    assert listed[ALICES]["owner"] == address(ALICE)
    shown = world.json("account", "show", ALICES)
    assert shown["margin"]["account"] == listed[ALICES]["margin"]
    assert {p["instrument"]: p["quantity"] for p in shown["positions"]} == {
        "BTC": "1.5",
        CALL: "-1",
        SHORT_PUT: "-0.5",
    }
    assert Decimal(shown["cash"]) == Decimal("50000.5") + 5000 + 750
    assert [a["account"] for a in world.json("account", "list", "--owner", address(ALICE).lower())] == [
        ALICES,
        RISKY,
    ]
    assert "has no account" in world.run("account", "list", "--owner", address(ADMIN)).out
    assert CALL in world.run("account", "show", ALICES).out
    done = world.run("account", "show", 99)
    assert (done.code, "allowed: 0 to 3" in done.err) == (2, True)


def test_what_if_says_what_the_gate_says(world: World) -> None:
    good = world.json("trade", "what-if", "--account", ALICES, CALL, "-0.1", "5000")
    assert (good["passesGate"], good["wouldSettle"]) == (True, True)
    change = Decimal(good["after"]["initialMargin"]) - Decimal(good["before"]["initialMargin"])
    assert Decimal(good["initialMarginChange"]) == change
    bad = world.json("trade", "what-if", "--account", RISKY, CALL, "-20", "5000")
    assert not bad["passesGate"]
    assert "gate says no" in world.run("trade", "what-if", "--account", RISKY, CALL, "-20", "5000").out
    files = [signed(world, RISKY, CALL, "-20", "5000"), signed(world, BOBS, CALL, "20", "5000")]
    done = world.run("trade", "settle", *files, who=KEEPER)
    assert (done.code, done.out) == (4, "")
    assert "BelowInitialMargin(account=3" in done.err
    assert "Trade less, deposit first, or reduce risk" in done.err
    for arguments, words in (
        (("DOGE", "1", "1"), "unknown underlying DOGE"),
        (("BTC-27MAR26-91000-C", "1", "1"), "no such strike"),
        (("BTC-28MAR26", "1", "1"), "no such expiry"),
        ((CALL, "0", "1"), "QUANTITY: '0' is out of range; allowed: -100000000 to 100000000, not 0"),
        ((CALL, "1", "1e3"), "PRICE: '1e3' is not a plain decimal"),
    ):
        done = world.run("trade", "what-if", "--account", ALICES, *arguments)
        assert (done.code, words in done.err) == (2, True), done.err


def test_orders_settle_once_and_only_as_signed(world: World) -> None:
    resting = signed(world, ALICES, "BTC-PERP", "-0.01", "89000")
    taking = signed(world, BOBS, "BTC-PERP", "0.01", "89500")
    settled = world.json("trade", "settle", resting, taking, who=KEEPER)
    assert (settled["price"], settled["quantity"], settled["buyer"], settled["seller"]) == (
        "89000",
        "0.01",
        BOBS,
        ALICES,
    )
    again = world.run("trade", "settle", resting, taking, who=KEEPER)
    assert (again.code, "OrderUsed" in again.err, "with another one" in again.err) == (4, True, True)

    original = json.loads(signed(world, ALICES, "BTC-PERP", "-0.01", "89000").read_text())
    changed = world.folder / "changed.json"
    other = signed(world, BOBS, "BTC-PERP", "0.01", "89000")
    for changes, code, words in (
        ({"price": "88000"}, 4, "WrongOrderSigner"),
        ({"chainId": 1}, 2, "is for chain 1"),
        ({"ledger": "0x" + "11" * 20}, 2, "is for the ledger"),
        ({"instrument": "BTC"}, 2, "the order calls it BTC"),
        ({"quantity": "0"}, 2, "quantity: '0' is out of range"),
        ({"signature": "0x"}, 2, "signature"),
        ({"nonce": "18446744073709551616"}, 2, "nonce"),
        ({"extra": 1}, 2, "extra: unknown key"),
    ):
        changed.write_text(json.dumps(original | changes))
        done = world.run("trade", "settle", changed, other, who=KEEPER)
        assert (done.code, words in done.err) == (code, True), done.err


def test_orders_expire_and_can_be_cancelled(world: World) -> None:
    short = signed(world, ALICES, "BTC-PERP", "-0.01", "89000", "--valid-for", 1)
    other = signed(world, BOBS, "BTC-PERP", "0.01", "89000")
    world.chain.mine(5)
    done = world.run("trade", "settle", short, other, who=KEEPER)
    assert (done.code, "OrderExpired" in done.err) == (4, True)
    kept = signed(world, ALICES, "BTC-PERP", "-0.01", "89000", "--nonce", 7)
    assert world.run("trade", "cancel", "--account", ALICES, "--nonce", 7, who=BOB).code == 4
    assert world.json("trade", "cancel", "--account", ALICES, "--nonce", 7, who=ALICE)["nonce"] == "7"
    assert "OrderUsed" in world.run("trade", "settle", kept, other, who=KEEPER).err
    terms = ("--instrument", "BTC-PERP", "--quantity", "1", "--price", "1")
    assert (
        "cancelled already"
        in world.run("trade", "sign", "--account", ALICES, *terms, "--nonce", 7, who=ALICE).err
    )
    assert "belongs to" in world.run("trade", "sign", "--account", ALICES, *terms, who=BOB).err


def test_money_leaves_as_far_as_margin_allows(world: World) -> None:
    done = world.run("account", "withdraw", "--account", ALICES, "--amount", "1", who=ALICE)
    assert done.code == 0, "no leaf is of what it holds since its trade, so it is recomputed in full"
    assert world.run("account", "withdraw", "--account", BACKING, "--amount", "0.5", who=LIQUIDATOR).code == 0
    spot = ("account", "withdraw", "--account", ALICES, "--asset", "BTC", "--amount")
    assert world.run(*spot, "0.25", "--to", address(BOB), who=ALICE).code == 0
    done = world.run(*spot, "1.2501", who=ALICE)
    assert (done.code, "holds 1.25 BTC" in done.err) == (1, True)
    done = world.run(
        "account", "withdraw", "--account", RISKY, "--asset", "BTC", "--amount", "0.15", who=ALICE
    )
    assert (done.code, "would not pass the margin gate" in done.err) == (1, True), done.err
    for arguments, words in (
        (("--amount", "0.0000001"), "7 decimals, at most 6 fit"),
        (("--amount", "0"), "'0' is out of range"),
        (("--amount", "1", "--asset", "DOGE"), "allowed: cash, BTC, ETH"),
        (("--amount", "1", "--to", "0x12"), "--to: '0x12' is not an address"),
    ):
        done = world.run("account", "withdraw", "--account", ALICES, *arguments, who=ALICE)
        assert (done.code, words in done.err) == (2, True), done.err
    assert "belongs to" in world.run("account", "withdraw", "--account", ALICES, "--amount", "1", who=BOB).err
    done = world.run("account", "deposit", "--account", ALICES, "--amount", "999999999", who=ALICE)
    assert (done.code, "less than 999999999 USD" in done.err) == (1, True)


def test_models_are_published(world: World, tmp_path: Path) -> None:
    assert not world.json("model", "publish", "options-33", who=ADMIN)["published"]
    assert world.run("model", "publish", "none.json", who=ADMIN).code == 2


def test_the_crash_settles_expired_positions(world: World) -> None:
    world.move_to(2)
    assert (
        world.run(
            "keeper", "once", "--source", world.source, "--attester", "http://127.0.0.1:9", who=KEEPER
        ).code
        == 1
    )
    done = posted(world)
    assert (done["header"]["round"], done["answers"][0]["signer"]) == (2, address(ATTESTER))
    before = Decimal(world.json("account", "show", ALICES)["cash"])
    settled = world.json("instrument", "settle", "--account", ALICES, who=ALICE)
    assert settled["settled"] == [{"instrument": SHORT_PUT, "quantity": "-0.5"}]
    assert Decimal(settled["cash"]) == Decimal("-0.5") * (90000 - Decimal("70827.57"))
    assert Decimal(world.json("account", "show", ALICES)["cash"]) == before + Decimal(settled["cash"])
    again = world.run("instrument", "settle", "--account", ALICES, who=ALICE)
    assert (again.code, "no expired position" in again.err) == (1, True)
    assert "settled at 70827.57" in world.run("instrument", "list").out


def test_epochs_are_listed_shown_and_proven(world: World) -> None:
    assert [item["round"] for item in world.json("epoch", "list")] == [1, 2]
    assert "(live)" in world.run("epoch", "list").out
    shown = world.json("epoch", "show", 2)
    assert shown["signers"] == [address(ATTESTER)]
    assert shown["market"]["underlyings"][0]["spot"] == "70827.57"
    assert address(ATTESTER) in world.run("epoch", "show", 2).out
    assert "posted rounds are 1 to 2" in world.run("epoch", "show", 9).err
    proof = json.loads(world.run("epoch", "proof", "--account", RISKY).out)
    assert (proof["round"], len(proof["proof"])) == (2, 2)
    target = world.folder / "proof.json"
    assert world.run("epoch", "proof", "--account", RISKY, "-o", target).code == 0
    assert json.loads(target.read_text()) == proof
    beyond = world.run("epoch", "proof", "--account", 99)
    assert (
        beyond.code,
        "There is no account 99 at epoch " in beyond.err,
        "allowed: 0 to 3" in beyond.err,
    ) == (2, True, True)
    explained = world.json("explain", "--account", RISKY)
    assert explained["rootMatches"]
    assert explained["account"]["maintenanceMargin"] == proof["leaf"]["maintenanceMargin"]
    first = world.json("explain", "--account", BOBS, "--round", 1)
    assert (first["epoch"]["round"], first["positions"]) == (1, [])
    assert "these figures are what was signed" in world.run("explain", "--account", RISKY).out


def test_cash_leaves_on_leaf_and_proof(world: World) -> None:
    account = world.json("explain", "--account", BOBS)["account"]
    cash = Decimal(world.json("account", "show", BOBS)["cash"])
    allowed = cash + Decimal(account["portfolioValue"]) - Decimal(account["initialMargin"])
    whole = allowed.quantize(Decimal("1e-6"), "ROUND_DOWN")
    done = world.run(
        "account", "withdraw", "--account", BOBS, "--amount", whole + Decimal("0.000001"), who=BOB
    )
    assert (done.code, done.out) == (1, "")
    assert f"may withdraw {allowed.normalize():,f} USD now" in done.err
    done = world.run("account", "withdraw", "--account", BOBS, "--amount", whole, who=BOB)
    assert (done.code, done.out) == (1, "")
    found = re.search(r"may take out ([\d,.]+) USD more on epochs that are not final", done.err)
    assert found is not None, done.err
    left = Decimal(found[1].replace(",", ""))
    assert 0 < left < whole
    # A hundred thousand on the leaf, the rest recomputed in full.
    for amount in (Decimal(100_000), left - 100_000):
        assert world.run("account", "withdraw", "--account", BOBS, "--amount", amount, who=BOB).code == 0
    assert Decimal(world.json("account", "show", BOBS)["cash"]) == cash - left


def test_the_liquidator_restores_health(world: World) -> None:
    before = world.json("account", "show", RISKY)["margin"]["account"]
    assert Decimal(before["maintenanceExcess"]) < 0
    assert "Below maintenance margin" in world.run("account", "show", RISKY).out
    assert "below maintenance" in world.run("account", "list", "--margin").out
    done = world.run("liquidator", "once", "--account", BACKING, who=BOB)
    assert (done.code, "belongs to" in done.err) == (2, True)
    assert "Give one without positions" in world.run("liquidator", "once", "--account", BOBS, who=BOB).err
    steps = world.json("liquidator", "once", "--account", BACKING, who=LIQUIDATOR)
    assert [step["account"] for step in steps] == [RISKY] * len(steps)
    assert [step["action"] for step in steps] == ["call", *["slice"] * (len(steps) - 2), "release"]
    assert Decimal(world.json("account", "show", RISKY)["margin"]["account"]["maintenanceExcess"]) >= 0
    assert "Nothing to do" in world.run("liquidator", "once", "--account", BACKING, who=LIQUIDATOR).out


def test_bots_stop_cleanly_on_ctrl_c(world: World) -> None:
    place = ["--rpc", world.chain.url, "--deployment", str(world.deployment), "--interval", "0.1"]
    keeper = ["keeper", "run", "--source", str(world.source), "--attester", world.attester, *place]
    liquidator = ["liquidator", "run", "--account", str(BACKING), *place]
    for who, arguments in ((KEEPER, keeper), (LIQUIDATOR, liquidator)):
        environment = {**os.environ, "MARGINPROOF_KEY": private_key(who)}
        bot = subprocess.Popen([*COMMAND, *arguments], env=environment, stderr=subprocess.PIPE, text=True)
        assert bot.stderr is not None
        assert "watching" in bot.stderr.readline()
        bot.send_signal(signal.SIGINT)
        _, log = bot.communicate(timeout=30)
        assert bot.returncode == 0, log
        assert log.splitlines()[-1].endswith(": stopped")


def test_attesters_tell_who_they_are(world: World, run: Run, free_port: int) -> None:
    done = json.loads(run("attester", "health", world.attester, "--json").out)
    assert done == {"url": world.attester, "signer": address(ATTESTER), "chainId": 31337, "lastRound": 2}
    arguments = [
        "attester",
        "serve",
        "--source",
        world.source,
        "--state",
        world.folder / "other.json",
        "--port",
        free_port,
    ]
    taken = world.run(*arguments, who=ATTESTER)
    assert (taken.code, f"127.0.0.1:{free_port}" in taken.err, "--port" in taken.err) == (4, True, True)


def test_an_audit_of_honest_epochs_is_clean(world: World) -> None:
    done = world.json("audit")
    assert (done["clean"], [item["round"] for item in done["epochs"]]) == (True, [1, 2])
    assert all(
        item["contractChecks"] == item["accounts"] == item["postedLeavesSeen"] for item in done["epochs"]
    )
    assert "Clean: 2 epochs" in world.run("audit", "--no-contracts").out


def test_a_false_leaf_is_found_and_never_used(world: World) -> None:
    world.move_to(3)
    venue = world.venue()
    lie = Tamper(SNAPSHOTS[2].time, 1)
    epoch = propose(Replayer(venue), SNAPSHOTS[2], venue.call("EpochRegistry", "lastRound") + 1, lie.compute)
    signature = sign(key(ATTESTER), venue.domain("EpochRegistry"), epoch.header.struct_hash())
    sender = venue.sender(key(KEEPER))
    post(venue, sender, epoch, signature)
    publish_leaves(venue, sender, epoch.header.round, epoch.result.leaves)
    victim = max(epoch.result.leaves, key=lambda leaf: leaf.maintenance_margin).account

    done = world.run("audit", "--no-contracts", "--json")
    assert done.code == 5
    assert not json.loads(done.out)["clean"]
    told = world.run("audit").out
    assert f"epoch 3, account {victim}: maintenanceMargin was posted as" in told
    assert "shown by BTC scenario" in told
    assert world.run("explain", "--account", victim).code == 5
    assert world.run("epoch", "proof", "--account", victim).code == 5
    done = world.run("account", "withdraw", "--account", BOBS, "--amount", "1", who=BOB)
    assert (done.code, "marginproof audit" in done.err) == (5, True)


def test_a_lie_is_priced_then_disputed_from_the_command_line(world: World) -> None:
    assert world.run("audit", "--dry-run").code == 2
    assert "MARGINPROOF_KEY" in world.run("audit", "--dispute").err
    dry = world.run("audit", "--no-contracts", "--dispute", "--dry-run")
    assert dry.code == 5
    assert "Dispute about epoch 3, account" in dry.out
    assert "wrong by 0.00000001 USD: a bounty; would bring 1000 USD for about " in dry.out
    assert world.json("epoch", "list")[-1]["round"] == 3
    done = world.run("audit", "--no-contracts", "--dispute", "--json", who=LIQUIDATOR)
    assert done.code == 0, done.err
    (case,) = json.loads(done.out)["disputes"]
    assert (case["kind"], case["difference"], case["filed"]["slashed"]) == ("leaf", "0.00000001", False)
    assert case["filed"]["paid"] == "1000"
    again = world.run("audit", "--no-contracts")
    assert again.code == 0
    assert "; proven wrong on chain" in again.out
    assert world.json("audit", "--no-contracts")["epochs"][2]["invalidated"] is True
    assert world.run("explain", "--account", BOBS).code == 0


def test_attesters_pay_look_and_leave(world: World) -> None:
    (before,) = world.json("attester", "status")["attesters"]
    assert (before["attester"], before["standing"], before["active"]) == (address(ATTESTER), "bonded", False)
    assert before["bond"] == "249000"
    world.mint("cash", ATTESTER, "1000")
    done = world.run("attester", "join", who=ATTESTER)
    assert done.code == 0, done.err
    assert "Paid 1000 USD for " in done.out
    assert "is whole" in world.run("attester", "join", who=ATTESTER).err
    assert world.run("attester", "join", who=ALICE).code == 2
    status = world.run("attester", "status")
    assert "1 signature makes a quorum; a whole bond is 250000 USD." in status.out
    assert "no epoch can be posted" not in status.err
    assert "its standing is none" in world.run("attester", "leave", who=ALICE).err
    left = world.run("attester", "leave", who=ATTESTER)
    assert "its bond of 250000 USD opens at" in left.out
    for told in (left, world.run("attester", "status")):
        assert "0 of 1 bonded attesters stay, and a quorum is 1: no epoch can be posted after " in told.err
    assert "is leaving already" in world.run("attester", "leave", who=ATTESTER).err
    assert (
        world.json("attester", "status", "--attester", address(ATTESTER))["attesters"][0]["bondOpensAt"] > 0
    )


def test_a_deployment_file_of_another_chain_is_told(world: World) -> None:
    good = json.loads(world.deployment.read_text())
    other = world.folder / "other-deployment.json"
    moved = good["contracts"]["EpochRegistry"] | {"address": "0x" + "22" * 20}
    for changes, words in (
        ({"chainId": 1}, "is on chain 31337, the deployment on chain 1"),
        ({"contracts": {}}, "names no"),
        ({"contracts": good["contracts"] | {"EpochRegistry": moved}}, "There is no contract at"),
        ({"block": "x"}, "block"),
    ):
        other.write_text(json.dumps(good | changes))
        kept, world.deployment = world.deployment, other
        done = world.run("epoch", "list")
        world.deployment = kept
        assert (done.code in (2, 4), words in done.err) == (True, True), done.err
