"""What goes wrong around a command: nodes, keys, ports, pipes, Ctrl-C; each is one plain message and an exit code."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from cli.conftest import Json, Run
from marginproof import __version__
from marginproof.cli import console, main
from marginproof.cli.bots import start_log
from marginproof.cli.words import in_dollars, refusal_hint, spec_sentence
from marginproof.errors import ChainError, MarginproofError
from marginproof.files import project_root
from marginproof.market.crash import load_crash
from marginproof.protocol.deploy_config import load_plan
from marginproof.spec.errors import SpecError
from marginproof.spec.limits import MAX_POSITIONS

Write = Callable[[str, Any], Path]
COMMAND = [sys.executable, "-c", "from marginproof.cli.main import main; main()"]
KEY = "0x" + "17" * 32
KEY_BYTES = bytes.fromhex("17" * 32)
ADDRESS = "0x" + "11" * 20


@contextmanager
def node(answers: dict[str, object] | bytes) -> Iterator[str]:
    """A JSON-RPC node that answers these methods, or these bytes to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if isinstance(answers, bytes):
                reply = answers
            else:
                request = json.loads(body)
                head = {"jsonrpc": "2.0", "id": request["id"]}
                if request["method"] in answers:
                    reply = json.dumps(head | {"result": answers[request["method"]]}).encode()
                else:
                    reply = json.dumps(
                        head | {"error": {"code": -32601, "message": "no such method"}}
                    ).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def deployment(write: Write) -> Path:
    """A deployment file of chain 5 in which every contract is at one address."""
    names = [
        "InstrumentRegistry",
        "ModelRegistry",
        "AttesterSet",
        "EpochRegistry",
        "MarginCourt",
        "MarginVault",
        "LiquidationHouse",
    ]
    contracts = {name: {"address": ADDRESS, "abi": []} for name in names}
    return write(
        "deployment.json",
        {"format": "marginproof/deployment@1", "chainId": 5, "block": 0, "contracts": contracts},
    )


READING = [
    ["account", "list"],
    ["account", "show", "0"],
    ["instrument", "list"],
    ["epoch", "list"],
    ["epoch", "show", "1"],
    ["epoch", "proof", "--account", "0"],
    ["explain", "--account", "0"],
    ["audit"],
    ["trade", "what-if", "--account", "0", "BTC", "1", "1"],
]
SIGNING = [
    ["account", "open"],
    ["account", "deposit", "--account", "0", "--amount", "1"],
    ["account", "withdraw", "--account", "0", "--amount", "1"],
    ["instrument", "add", "BTC"],
    ["instrument", "settle", "--account", "0"],
    ["trade", "sign", "--account", "0", "--instrument", "BTC", "--quantity", "-1", "--price", "1"],
    ["trade", "cancel", "--account", "0", "--nonce", "0"],
    ["model", "publish", "options-33"],
    ["liquidator", "once", "--account", "0"],
    ["liquidator", "run", "--account", "0"],
]


@pytest.mark.parametrize("command", READING, ids=lambda words: "-".join(words[:2]))
def test_a_node_that_is_down_is_told(run: Run, free_port: int, command: list[str]) -> None:
    done = run(*command, "--rpc", f"http://127.0.0.1:{free_port}")
    assert (done.code, done.out) == (4, "")
    assert f"No answer from the node at http://127.0.0.1:{free_port}" in done.err
    assert "Check that the node runs" in done.err


@pytest.mark.parametrize("command", SIGNING, ids=lambda words: "-".join(words[:2]))
def test_a_missing_key_is_told_first(run: Run, command: list[str]) -> None:
    done = run(*command)
    assert (done.code, done.out) == (2, "")
    assert "No signing key is set." in done.err
    assert "--keystore FILE" in done.err


@pytest.mark.parametrize("rpc", ["127.0.0.1:8545", "", "ftp://x", "ws://127.0.0.1:8545"])
def test_an_rpc_address_is_checked(run: Run, rpc: str) -> None:
    done = run("epoch", "list", "--rpc", rpc)
    assert (done.code, "allowed: http://HOST:PORT" in done.err) == (2, True)


@pytest.mark.parametrize("rpc", ["http://", "http://[::1", "http://a b", "http://127.0.0.1:99999"])
def test_an_rpc_address_that_leads_nowhere_is_told(run: Run, rpc: str) -> None:
    done = run("epoch", "list", "--rpc", rpc)
    assert (done.code, done.out) == (4, "")


def test_the_rpc_address_comes_from_the_environment_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("MARGINPROOF_RPC", f"http://127.0.0.1:{free_port}")
    assert f"127.0.0.1:{free_port}" in run("epoch", "list").err


@pytest.mark.parametrize(
    "reply", [b"", b"<html>", b"[]", b"{}", b'{"jsonrpc":"2.0","id":0,"result":"zzz"}', b"\xff\xfe"]
)
def test_a_node_that_talks_nonsense_is_told(run: Run, deployment: Path, reply: bytes) -> None:
    with node(reply) as url:
        done = run("epoch", "list", "--rpc", url, "--deployment", deployment)
    assert (done.code, done.out) == (4, "")
    assert url in done.err


def test_a_node_on_another_chain_is_told(run: Run, deployment: Path) -> None:
    with node({"eth_chainId": "0x1"}) as url:
        done = run("epoch", "list", "--rpc", url, "--deployment", deployment)
    assert done.code == 4
    assert "is on chain 1, the deployment on chain 5" in done.err


def test_a_chain_without_deployment_file_is_told(run: Run) -> None:
    with node({"eth_chainId": "0x3ade68b1"}) as url:
        done = run("epoch", "list", "--rpc", url)
    assert done.code == 2
    assert "987654321.json" in done.err
    assert "marginproof deploy" in done.err


def test_a_chain_that_was_started_anew_is_told(run: Run, deployment: Path) -> None:
    with node({"eth_chainId": "0x5", "eth_getCode": "0x"}) as url:
        done = run("epoch", "list", "--rpc", url, "--deployment", deployment)
    assert done.code == 4
    assert f"There is no contract at {ADDRESS}" in done.err
    assert "belongs to a chain that is gone" in done.err
    assert "marginproof deploy --force" in done.err


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": "x"}', "\x00"])
def test_a_broken_deployment_file_is_told(run: Run, write: Write, content: str) -> None:
    path = write("deployment.json", content)
    done = run("epoch", "list", "--deployment", path)
    assert (done.code, str(path) in done.err) == (2, True)


def test_keys_are_checked_and_never_repeated(
    run: Run, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MARGINPROOF_KEY", "0xsecret")
    done = run("account", "open")
    assert (done.code, "does not hold a private key" in done.err) == (2, True)
    assert "secret" not in done.err
    monkeypatch.setenv("MARGINPROOF_KEYSTORE_PASSWORD", "wrong")
    for name, content, words in (
        ("none.json", None, "cannot be read"),
        ("garbage.json", "garbage", "is not JSON"),
        ("list.json", [], "cannot be opened"),
        ("empty.json", {}, "cannot be opened"),
        ("locked.json", Account.encrypt(KEY_BYTES, "right", kdf="pbkdf2", iterations=2), "wrong password"),
    ):
        path = tmp_path / name if content is None else write(name, content)
        done = run("account", "open", "--keystore", path)
        assert (done.code, words in done.err) == (2, True), done.err


def test_a_keystore_opens_with_its_password(
    run: Run, write: Write, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    path = write("key.json", Account.encrypt(KEY_BYTES, "right", kdf="pbkdf2", iterations=2))
    monkeypatch.setenv("MARGINPROOF_KEYSTORE_PASSWORD", "right")
    done = run("account", "open", "--keystore", path, "--rpc", f"http://127.0.0.1:{free_port}")
    assert "No answer from the node" in done.err


def test_operators_need_a_source(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MARGINPROOF_KEY", KEY)
    missing = tmp_path / "none"
    keeper = ("keeper", "once", "--attester", "http://127.0.0.1:1", "--source")
    serve = ("attester", "serve", "--state", tmp_path / "rounds.json", "--source")
    for command in (keeper, serve):
        done = run(*command, missing)
        assert (done.code, str(missing) in done.err) == (2, True)
    done = run("keeper", "once", "--source", tmp_path, "--attester", "127.0.0.1:1")
    assert (done.code, "--attester: '127.0.0.1:1'" in done.err) == (2, True)
    assert run("keeper", "once", "--source", tmp_path).code == 2
    (tmp_path / "rounds.json").write_text("[")
    done = run(*serve, tmp_path)
    assert (done.code, "a round might be signed twice" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "0"], "1 to 65535"),
        (["--port", "65536"], "1 to 65535"),
        (["--price-tolerance", "-1"], "0 to 1"),
        (["--price-tolerance", "nan"], "0 to 1"),
        (["--vol-tolerance", "x"], "0 to 5"),
    ],
)
def test_attester_options_are_checked(run: Run, tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run("attester", "serve", "--source", tmp_path, "--state", tmp_path / "r.json", *arguments)
    assert (done.code, arguments[0] in done.err, arguments[1] in done.err, words in done.err) == (
        2,
        True,
        True,
        True,
    )


def test_what_is_no_attester_is_told(run: Run, free_port: int) -> None:
    assert "No answer" in run("attester", "health", f"http://127.0.0.1:{free_port}").err
    with node({}) as url:
        done = run("attester", "health", url)
    assert (done.code, "is not an attester" in done.err) == (4, True)
    assert run("attester", "health", "nonsense").code == 2


PLAN: Json = {
    "format": "marginproof/deploy@1",
    "attesters": [ADDRESS],
    "threshold": 1,
    "underlyings": [{"symbol": "BTC", "strikes": ["60000"]}],
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"threshold": 2}, "threshold is 2; allowed: 1 to the number of attesters, 1"),
        ({"attesters": []}, "attesters: 0 entries; allowed: at least 1"),
        ({"attesters": ["0x12"]}, "attesters[0]: '0x12' is not accepted"),
        ({"attesters": [ADDRESS, ADDRESS]}, "one address twice"),
        (
            {"underlyings": [{"symbol": "BTC", "strikes": ["0"]}]},
            "underlyings[0].strikes[0]: '0' is out of range; allowed: 0.0001 to 100000000",
        ),
        ({"epochMaxAge": 1}, "epochMaxAge: 1 is out of range; allowed: at least 60"),
        (
            {"liquidation": {"discount": "0.6"}},
            "liquidation.discount: '0.6' is out of range; allowed: 0 to 0.5",
        ),
        ({"surprise": 1}, "surprise: unknown key"),
        (
            {"underlyings": [{"symbol": "BTC", "strikes": ["60000", "60000.0"]}]},
            "underlyings[0].strikes names one twice",
        ),
    ],
)
def test_bad_plans_are_told_before_anything_is_sent(
    run: Run, write: Write, changes: Json, words: str
) -> None:
    path = write("plan.json", PLAN | changes)
    for extra in (["--check"], []):
        done = run("deploy", "--config", path, *extra)
        assert (done.code, done.out) == (2, "")
        assert words in done.err


def test_good_plans_can_be_checked_without_a_chain(
    run: Run, write: Write, tmp_path: Path, free_port: int
) -> None:
    path = write("plan.json", PLAN | DATED)
    nowhere = ("--check", "--rpc", f"http://127.0.0.1:{free_port}")
    assert run("deploy", "--config", path, *nowhere, "--json").json == {
        "valid": True,
        "model": "options-33",
        "underlyings": ["BTC"],
        "comparedWithTime": None,
    }
    told = run("deploy", "--config", path, *nowhere).out
    assert "1 of 1 attesters" in told
    assert "the expiries are compared with the chain's time at deployment" in told
    assert "cannot be read" in run("deploy", "--config", tmp_path / "none.json").err
    assert run("deploy", "--config", tmp_path).code == 2


DATED: Json = {"underlyings": [{"symbol": "BTC", "expiries": [1774598400, 1772179200]}]}


def test_past_expiries_are_told_before_anything_is_sent(
    run: Run, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("plan.json", PLAN | DATED)
    monkeypatch.setenv("MARGINPROOF_KEY", KEY)
    after: dict[str, object] = {
        "eth_chainId": "0x5",
        "eth_getBlockByNumber": {"number": "0x1", "timestamp": hex(1774598400)},
    }
    before: dict[str, object] = {
        "eth_chainId": "0x5",
        "eth_getBlockByNumber": {"number": "0x1", "timestamp": hex(1772179199)},
    }
    with node(after) as url:
        for extra in (["--check"], ["-o", tmp_path / "5.json"]):
            done = run("deploy", "--config", path, "--rpc", url, *extra)
            assert (done.code, done.out) == (2, "")
            assert (
                "expiries BTC-27FEB26, BTC-27MAR26 are not after the chain's time, 2026-03-27 08:00:00 UTC"
                in done.err
            )
            assert "Nothing was sent" in done.err
    with node(before) as url:
        done = run("deploy", "--config", path, "--rpc", url, "--check")
        assert "Every expiry is after the chain's time, 2026-02-27 07:59:59 UTC." in done.out


def test_the_example_plan_fits_every_shipped_snapshot() -> None:
    snapshots = load_crash()
    for underlying in load_plan(project_root() / "deployments" / "plan.example.json").underlyings:
        for snapshot in snapshots:
            quoted = next(item for item in snapshot.underlyings if item.symbol == underlying.symbol)
            assert set(underlying.expiries) <= {item.expiry for item in quoted.expiries}


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("", "the path is empty"),
        (".", "the path is empty or the current folder"),
        ("{0}", "is a folder, not a file"),
        ("{0}/deep/file", "{0}/deep does not exist; make this folder first"),
        ("{0}/plan.json/file", "{0}/plan.json is not a folder"),
    ],
)
def test_an_output_without_a_folder_is_refused_before_any_work(
    run: Run, write: Write, tmp_path: Path, target: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write("plan.json", PLAN)
    monkeypatch.setenv("MARGINPROOF_KEY", KEY)
    path, told = target.format(tmp_path), words.format(tmp_path)
    for option, command in (
        ("-o", ["market", "crash", "1"]),
        ("-o", ["deploy", "--config", plan]),
        ("--report", ["demo"]),
    ):
        done = run(*command, option, path)
        assert (done.code, done.out) == (2, ""), command
        assert told in done.err
        assert ("--report" if option == "--report" else "--output") in done.err
    assert [item.name for item in tmp_path.iterdir()] == ["plan.json"]


def test_the_zero_address_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARGINPROOF_KEY", KEY)
    done = run("account", "withdraw", "--account", "0", "--amount", "1", "--to", "0x" + "00" * 20)
    assert done.code == 2
    assert "--to: 0x0000000000000000000000000000000000000000 is the zero address" in done.err


def test_refusals_give_money_in_dollars() -> None:
    refused = "X was refused: BelowInitialMargin(account=3, equity=-150000000, initialMargin=1234567890000)."
    assert in_dollars(refused) == (
        "X was refused: BelowInitialMargin(account=3, equity=-1.50 USD, initialMargin=12,345.6789 USD)."
    )
    refused = "X was refused: FeedDeviation(underlying=1, priceE8=100000000, feedPriceE8=200000000, maxDeviationBps=100)."
    assert "price=1.00 USD, feedPrice=2.00 USD, maxDeviationBps=100" in in_dollars(refused)
    refused = "X was refused: OutflowBudgetExceeded(amountE8=4500000000000, spentE8=150000000, limitE8=12500000000000)."
    assert "(amount=45,000.00 USD, spent=1.50 USD, limit=125,000.00 USD)" in in_dollars(refused)
    kept = "X was refused: OrderUsed(account=1, nonce=18)."
    assert in_dollars(kept) == kept
    assert in_dollars("equity=1") == "equity=1"


def test_orders_are_checked_before_the_chain_is_asked(run: Run, write: Write, tmp_path: Path) -> None:
    for name, content in (("garbage.json", "garbage"), ("list.json", []), ("empty.json", {})):
        done = run("trade", "settle", write(name, content), write(name, content))
        assert (done.code, name in done.err) == (2, True)
    (tmp_path / "big.json").write_bytes(b" " * 70_000)
    (tmp_path / "binary.json").write_bytes(b"\xff")
    for name in ("big.json", "binary.json", "none.json"):
        done = run("trade", "settle", tmp_path / name, tmp_path / name)
        assert (done.code, name in done.err) == (2, True)


def test_wrong_commands_and_options_are_told(run: Run) -> None:
    assert run("--version").out == f"marginproof {__version__}\n"
    for arguments in (
        ["nonsense"],
        ["margin"],
        ["margin", "--nonsense"],
        ["demo", "--chain", "moon"],
        ["demo", "--tamper", "-1"],
        ["account", "show", "x"],
    ):
        done = run(*arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err
    assert "allowed: whole numbers 0 to" in run("demo", "--tamper", "-1").err
    for group in (
        [],
        ["market"],
        ["model"],
        ["account"],
        ["trade"],
        ["epoch"],
        ["keeper"],
        ["attester"],
        ["liquidator"],
        ["instrument"],
    ):
        assert run(*group, "--help").code == 0


def test_help_does_not_load_the_heavy_parts() -> None:
    heavy = "{'web3', 'numpy', 'pydantic', 'rich'}"
    code = f"import sys; from marginproof.cli.main import run; run(['--help']); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_bug_leaves_its_traceback_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "contracts").mkdir()
    monkeypatch.setattr("marginproof.files.project_root", lambda: tmp_path)

    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    assert console.guarded(broken) == 70
    told = capsys.readouterr().err
    assert "This is a bug" in told
    assert "secret detail" not in told
    (kept,) = (tmp_path / "build").iterdir()
    assert str(kept) in told
    assert "ZeroDivisionError: secret detail" in kept.read_text()


def test_every_kind_of_error_has_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def raising(error: BaseException) -> Callable[[], None]:
        def command() -> None:
            raise error

        return command

    for error, code, words in (
        (MarginproofError("It broke.", "Mend it."), 1, "Error: It broke.\nMend it.\n"),
        (ChainError("X was refused: EpochExpired(validUntil=1, now=2)."), 4, "A newer market is needed"),
        (SpecError("MissingExpiry", expiry=7), 2, "neither a quote nor a settlement price for expiry 7"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x Permission denied"),
    ):
        assert console.guarded(raising(error)) == code
        assert words in capsys.readouterr().err


def test_errors_of_the_specification_are_put_in_words() -> None:
    wide = SpecError("TooManyPositions", count=129, max=MAX_POSITIONS)
    assert spec_sentence(wide) == "129 positions; allowed: at most 128."
    out_of_range = SpecError("OutOfRange", field="spot", value=1, low=2, high=3)
    assert spec_sentence(out_of_range).startswith("spot is 1; allowed: 2 to 3")
    assert spec_sentence(SpecError("SomethingNew", value=3)) == "refused: SomethingNew(value=3)."
    assert refusal_hint("no contract spoke") is None
    assert "The venue is paused" in (refusal_hint("X was refused: EnforcedPause().") or "")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = subprocess.Popen(
        [*COMMAND, "market", "crash", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdout is not None
    command.stdout.close()
    assert command.stderr is not None
    told = command.stderr.read()
    command.stderr.close()
    assert command.wait(timeout=30) == 1
    assert told == b""


def test_ctrl_c_ends_a_command_with_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        command = subprocess.Popen([*COMMAND, "epoch", "list", "--rpc", url], stderr=subprocess.PIPE)
        connection, _ = silent.accept()
        with connection:
            command.send_signal(signal.SIGINT)
            _, told = command.communicate(timeout=30)
    assert (command.returncode, told) == (130, b"Interrupted.\n")


def test_a_local_chain_goes_with_its_command(run: Run, free_port: int) -> None:
    arguments = ["testing", "chain", "--time", "crash:1", "--port", str(free_port)]
    command = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    first = command.stdout.readline()
    assert f"http://127.0.0.1:{free_port}, chain id 31337, time 2026-01-28 14:41:50 UTC" in first
    done = run("testing", "chain", "--port", free_port)
    assert (done.code, f"Port {free_port}" in done.err) == (4, True)
    command.send_signal(signal.SIGTERM)
    _, told = command.communicate(timeout=30)
    assert (command.returncode, "SIGTERM" in told) == (0, True)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free_port)) != 0
    assert "1 to 6" in run("testing", "chain", "--time", "crash:0").err
    assert "whole numbers" in run("testing", "chain", "--time", "-5").err


def test_the_console_script_is_the_same_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["marginproof", "model", "show", "none"])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 2
    assert "no shipped model of that name" in capsys.readouterr().err


def test_a_log_follows_stderr_where_it_goes() -> None:
    logger = logging.getLogger("marginproof")
    kept = logger.handlers[:], logger.propagate, logger.level
    try:
        first, second = io.StringIO(), io.StringIO()
        with contextlib.redirect_stderr(first):
            start_log()
        first.close()
        with contextlib.redirect_stderr(second):
            logging.getLogger("marginproof.keeper").warning("still here")
        assert "WARNING marginproof.keeper: still here\n" in second.getvalue()
        assert "Traceback" not in second.getvalue()
    finally:
        logger.handlers[:], logger.propagate, level = kept
        logger.setLevel(level)


class Busy(io.StringIO):
    """stderr while a write to it is under way."""

    def write(self, _: str) -> int:
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")


def test_a_signal_in_the_middle_of_a_log_line_is_logged_all_the_same(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logger = logging.getLogger("marginproof")
    kept = logger.handlers[:], logger.propagate, logger.level
    try:
        start_log()
        with contextlib.redirect_stderr(Busy()):
            logging.getLogger("marginproof.keeper").info("SIGINT: stopping after this step")
    finally:
        logger.handlers[:], logger.propagate, level = kept
        logger.setLevel(level)
    assert "INFO marginproof.keeper: SIGINT: stopping after this step\n" in capfd.readouterr().err
