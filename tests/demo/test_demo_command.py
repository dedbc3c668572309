"""`marginproof demo` as a user runs it: honest, tampered with, and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from marginproof.demo.operators import free_port

COMMAND = [sys.executable, "-c", "from marginproof.cli.main import main; main()", "demo"]
MAX_SECONDS = 400


def demo(tmp_path: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON summary and the report's text."""
    report = tmp_path / "report.html"
    done = subprocess.run(
        [*COMMAND, "--json", "--report", str(report), *options],
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), report.read_text(encoding="utf-8")


def test_the_whole_crash_ends_with_a_clean_audit(tmp_path: Path) -> None:
    code, summary, report = demo(tmp_path)
    assert code == 0
    assert summary["auditPassed"] is True
    assert summary["epochs"] == [2, 3, 4, 5, 6, 7]
    assert 45 <= summary["accounts"] <= 80
    assert summary["trades"] > 70
    assert summary["withdrawals"]["allowed"] >= 6
    assert summary["withdrawals"]["refused"] >= 6
    assert summary["liquidationSteps"] >= 15
    assert 0 < summary["tradesOnTickets"] < summary["trades"]
    assert summary["disputes"] == []
    assert {
        "post an epoch",
        "settle a trade on tickets",
        "settle a trade in full",
        "withdraw on a leaf",
        "settle expired legs",
    } <= set(summary["gas"])
    assert all("0 differences" in line for line in summary["audit"])
    assert "<svg" in report
    assert "http://" not in report.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("units", "slashed", "paid"), [(1, False, "999.999999"), (200 * 10**8, True, "15000000")]
)
def test_a_lie_of_n_units_is_named_disputed_and_recovered_from(
    tmp_path: Path, units: int, slashed: bool, paid: str
) -> None:
    code, summary, _ = demo(tmp_path, "--tamper", str(units))
    assert code == 0
    assert summary["auditPassed"] is True
    assert summary["epochs"] == [2, 3, 4, 6, 7, 8]
    (case,) = summary["disputes"]
    assert (case["round"], case["slashed"], case["paid"]) == (5, slashed, paid)
    assert Decimal(case["difference"]) == Decimal(units) / 10**8
    named = summary["audit"][-1]
    posted, true = (Decimal(part.split(";")[0]) for part in named.split("posted as ")[1].split(", it is "))
    assert true - posted == Decimal(units) / 10**8
    for word in ("epoch 5", "account ", "maintenanceMargin", "scenario ", "spot x ", "proven wrong on chain"):
        assert word in named


def processes_of(port: int) -> list[str]:
    """Command lines of running attesters of the chain at this port."""
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "attester_process" in line and f":{port} " in line]


def test_ctrl_c_in_the_middle_takes_chain_and_attesters_along(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "--port", str(port), "--report", str(tmp_path / "report.html")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + MAX_SECONDS
        while len(processes_of(port)) < 5:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "the attesters did not start"
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate(timeout=30)[0].decode()
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in output
    assert processes_of(port) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}")


def test_a_port_in_use_is_named() -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as taken:
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}")
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            done = subprocess.run(
                [*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=60, check=False
            )
        finally:
            taken.kill()
    assert done.returncode == 4
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_negative_lie_is_refused() -> None:
    done = subprocess.run([*COMMAND, "--tamper=-1"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "-1" in done.stderr
