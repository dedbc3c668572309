"""Running the command line inside the test process, and small valid files to spoil."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from marginproof.cli.main import run as run_command

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """A finished command: exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as JSON: fails when anything else was printed there."""
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `marginproof <arguments>`; asserts that no traceback is ever shown."""
    for name in ("KEY", "KEYSTORE", "KEYSTORE_PASSWORD", "RPC"):
        monkeypatch.delenv(f"MARGINPROOF_{name}", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: object) -> Ended:
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "This is a bug" not in captured.err, captured.err
        return Ended(code, captured.out, captured.err)

    return command


@pytest.fixture(scope="session")
def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Writes a JSON value, or text as it is, to a file of the test's folder."""

    def to_file(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def portfolio_json() -> Json:
    """A portfolio that fits the first shipped snapshot."""
    return {
        "format": "marginproof/portfolio@1",
        "cash": "20000",
        "positions": [
            {"instrument": "BTC", "quantity": "1"},
            {"instrument": "BTC-27MAR26-100000-C", "quantity": "-1"},
            {"instrument": "BTC-27MAR26-80000-P", "quantity": "0.5"},
            {"instrument": "ETH-PERP", "quantity": "3"},
        ],
    }


@pytest.fixture
def model_json() -> Json:
    """A model with two scenarios."""
    return {
        "format": "marginproof/model@2",
        "name": "two",
        "source": "made up",
        "date": "2026-01",
        "default": {
            "factors": {"initial": "1", "maintenance": "0.8"},
            "vol": {
                "up": "0.5",
                "down": "0.3",
                "minimumUp": "0.4",
                "shortPower": "0.3",
                "longPower": "0.13",
                "floorSeconds": 86400,
            },
            "scenarios": [
                {"spot": "1.2", "vol": "none", "weight": "1"},
                {"spot": "0.8", "vol": "up", "weight": "0.5"},
            ],
        },
    }


@pytest.fixture
def market_json() -> Json:
    """A market with one underlying and one live expiry."""
    return {
        "format": "marginproof/market@1",
        "time": 1769614910,
        "settlementToken": "1",
        "source": "made up",
        "underlyings": [
            {
                "symbol": "BTC",
                "spot": "90000",
                "confidence": "1",
                "funding": "0",
                "settlements": [],
                "expiries": [
                    {
                        "expiry": 1774598400,
                        "forward": "91000",
                        "rate": "0",
                        "svi": {"a": "0.01", "b": "0.02", "rho": "-0.2", "m": "0.01", "sigma": "0.05"},
                    }
                ],
            }
        ],
    }
