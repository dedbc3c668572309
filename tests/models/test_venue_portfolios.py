"""Public test portfolios of the options-31 venue through `marginproof margin`: balances within 1e-8, pasted without editing.

Source of the figures: derivexyz/v2-core, test/risk-managers/unit-tests/PMRM_2/portfolio_cases, cases 18, 52, 60, 67, and the short call of
the venue's margin check; read January 2026.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from marginproof.cli.main import run
from marginproof.models import model_text

NOW = 1_700_000_000


@dataclass(frozen=True)
class Quote:
    """One expiry of a case: seconds to it, forward, rate, volatility by strike."""

    seconds: int
    forward: float
    rate: float
    vols: dict[str, float]


@dataclass(frozen=True)
class Case:
    """A published portfolio: spot, quotes, options (seconds, strike, type, quantity), balances, changed parameters."""

    name: str
    spot: float
    quotes: Sequence[Quote]
    options: Sequence[tuple[int, str, str, float]]
    initial: float
    maintenance: float
    changes: Sequence[str] = field(default=())


def _with_scenario(scenario: dict[str, str]) -> str:
    shipped = json.loads(model_text("options-31")[0])["default"]["scenarios"]
    return "scenarios=" + json.dumps([*shipped, scenario])


CASES = [
    Case(
        "short call",
        95663.50604855,
        [Quote(794852, 95776.67392708939, 0.15, {"100000": 0.453803924321583})],
        [(794852, "100000", "C", -1)],
        -14604.048120144837,
        -11824.858703959073,
    ),
    Case(
        "18, call spread",
        2681.6029850999994,
        [
            Quote(
                794852,
                2682.9997436016715,
                0.15000000000000002,
                {"4000": 0.8795543651099665, "4200": 0.8833255402190362},
            )
        ],
        [(794852, "4000", "C", -1.0), (794852, "4200", "C", 1.0)],
        -35.75844560967082,
        -25.96404757080802,
    ),
    Case(
        "52, two expiries",
        95663.50604855,
        [
            Quote(
                18938852,
                100374.61000117072,
                0.2,
                {"100000": 0.5543377511787965, "120000": 0.5665119096978181},
            ),
            Quote(11076452, 98198.07812501276, 0.1, {"120000": 0.5646450091750466}),
        ],
        [(18938852, "100000", "C", 1.5), (18938852, "120000", "P", 2.1), (11076452, "120000", "P", -4.0)],
        -94908.87072619566,
        -81147.83852296828,
    ),
    Case(
        "60, a second before expiry",
        2681.6029850999994,
        [Quote(1, 2682.9997436016715, 0.15000000000000002, {"2700": 0.6360190705815766})],
        [(1, "2700", "C", -1.0)],
        -13.408014925499998,
        -8.044808955299999,
        ["vol.minimumUp=1.0"],
    ),
    Case(
        "67, other skews",
        2681.6029850999994,
        [Quote(3214052, 2695.7814942763334, 0.21000000000000002, {"2500": 0.6419890928713738})],
        [(3214052, "2500", "C", -1.0)],
        -798.6384884599281,
        -699.6695030318901,
        [
            "skew.linear.cap=9.9",
            "skew.width=4.9",
            "skew.vol=2.5",
            "skew.volPerRootYear=-0.9",
            _with_scenario({"spot": "1.18", "vol": "linearSkew", "weight": "5"}),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_balances_are_the_published_ones(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    underlying: dict[str, Any] = {
        "symbol": "BTC",
        "spot": case.spot,
        "confidence": 1.0,
        "funding": 0.0,
        "settlements": [],
        "expiries": [
            {"expiry": NOW + quote.seconds, "forward": quote.forward, "rate": quote.rate, "vols": quote.vols}
            for quote in case.quotes
        ],
    }
    market = {
        "format": "marginproof/market@1",
        "time": NOW,
        "settlementToken": 1.00019088635,
        "source": case.name,
        "underlyings": [underlying],
    }
    positions = [
        {"instrument": f"BTC-{NOW + seconds}-{strike}-{letter}", "quantity": quantity}
        for seconds, strike, letter, quantity in case.options
    ]
    portfolio = {"format": "marginproof/portfolio@1", "cash": 0, "positions": positions}
    (tmp_path / "market.json").write_text(json.dumps(market))
    (tmp_path / "portfolio.json").write_text(json.dumps(portfolio))
    arguments = ["margin", "--model", "options-31", "--round", "--json"]
    for name in ("market", "portfolio"):
        arguments += [f"--{name}", str(tmp_path / f"{name}.json")]
    for change in case.changes:
        arguments += ["--set", change]
    assert run(arguments) == 0
    account = json.loads(capsys.readouterr().out)["account"]
    assert float(account["initialExcess"]) == pytest.approx(case.initial, rel=1e-8, abs=0)
    assert float(account["maintenanceExcess"]) == pytest.approx(case.maintenance, rel=1e-8, abs=0)
