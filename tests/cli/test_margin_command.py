"""`marginproof margin`: figures, and what each wrong file is told."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Json, Run

Write = Callable[[str, Any], Path]


@pytest.fixture
def files(write: Write, model_json: Json, market_json: Json, portfolio_json: Json) -> dict[str, Path]:
    """Three files that fit together: a model, a market of BTC, one BTC."""
    portfolio_json["positions"] = [{"instrument": "BTC", "quantity": "2"}]
    return {
        "model": write("model.json", model_json),
        "market": write("market.json", market_json),
        "portfolio": write("portfolio.json", portfolio_json),
    }


def arguments(files: dict[str, Path]) -> list[object]:
    return ["margin", *(part for name, path in files.items() for part in (f"--{name}", path))]


def test_figures_follow_from_the_files(run: Run, files: dict[str, Path]) -> None:
    done = run(*arguments(files), "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["account"] == {
        "cash": "20000",
        "portfolioValue": "180000",
        "spotValue": "180000",
        "equity": "200000",
        "initialMargin": "18000",
        "maintenanceMargin": "14400",
        "initialExcess": "182000",
        "maintenanceExcess": "185600",
    }
    scan = done.json["underlyings"][0]
    assert (scan["symbol"], scan["worstScenario"], scan["scan"]) == ("BTC", 1, "18000")
    assert [line["change"] for line in scan["scenarios"]] == ["36000", "-18000"]
    assert [line["decides"] for line in scan["scenarios"]] == [False, True]
    position = done.json["positions"][0]
    assert (position["unitValue"], position["worstUnitValue"], position["worstChange"]) == (
        "90000",
        "72000",
        "-36000",
    )
    assert position["unitValuesByScenario"] == ["108000", "72000"]


def test_json_adds_up_exactly(run: Run, write: Write, portfolio_json: Json) -> None:
    path = write("portfolio.json", portfolio_json)
    done = run("margin", "--model", "options-33", "--market", "crash:4", "--portfolio", path, "--json")
    assert done.code == 0
    by_symbol: dict[str, list[Json]] = {}
    for position in done.json["positions"]:
        by_symbol.setdefault(position["instrument"].split("-")[0], []).append(position)
    required = Decimal(0)
    for scan in done.json["underlyings"]:
        changes = [Decimal(line["change"]) for line in scan["scenarios"]]
        for line, change in zip(scan["scenarios"], changes, strict=True):
            index = line["index"]
            moves = sum(
                Decimal(p["quantity"]) * (Decimal(p["unitValuesByScenario"][index]) - Decimal(p["unitValue"]))
                for p in by_symbol[scan["symbol"]]
            )
            assert change == Decimal(line["weight"]) * moves
        assert scan["worstScenario"] == changes.index(min(changes))
        assert Decimal(scan["scan"]) == max(Decimal(0), -min(changes))
        required += Decimal(scan["initialFactor"]) * Decimal(scan["scan"])
    assert Decimal(done.json["account"]["initialMargin"]) == required.quantize(Decimal("1e-8"), ROUND_CEILING)


def test_tables_name_the_scenario_that_decides(run: Run, files: dict[str, Path]) -> None:
    done = run(*arguments(files))
    assert done.code == 0
    assert "BTC scan: 18,000.00, the loss in scenario 1 (spot x 0.8, vol up, weight 0.5)" in done.out
    assert "<- decides" in done.out
    assert "Above initial margin" in done.out


@pytest.mark.parametrize(
    ("cash", "verdict"), [("-170000", "Below initial margin, above"), ("-175000", "Below maintenance margin")]
)
def test_standing_is_told(
    run: Run, files: dict[str, Path], write: Write, portfolio_json: Json, cash: str, verdict: str
) -> None:
    portfolio_json["cash"] = str(int(cash) + 7000)
    write("portfolio.json", portfolio_json)
    assert verdict in run(*arguments(files)).out


def test_an_empty_portfolio_needs_nothing(
    run: Run, files: dict[str, Path], write: Write, portfolio_json: Json
) -> None:
    write("portfolio.json", portfolio_json | {"positions": []})
    assert run(*arguments(files), "--json").json["account"]["initialMargin"] == "0"
    assert "No positions" in run(*arguments(files)).out


def change(path: str, value: object) -> Callable[[Json], None]:
    """A change of one place of a document, as "underlyings.0.spot"; None removes the key."""

    def apply(document: Any) -> None:
        *parents, last = path.split(".")
        for part in parents:
            document = document[int(part)] if isinstance(document, list) else document[part]
        if value is None:
            del document[last]
        else:
            document[int(last) if isinstance(document, list) else last] = value

    return apply


BAD: list[tuple[str, str, object, list[str]]] = [
    ("market", "underlyings.0.spot", "0.001", ["underlyings[0].spot", "'0.001'", "0.01 to 1000000"]),
    ("market", "underlyings.0.spot", 90000, ["underlyings[0].spot", "90000", "in quotes"]),
    ("market", "underlyings.0.spot", "9e4", ["underlyings[0].spot", "'9e4'", "plain decimal"]),
    ("market", "underlyings.0.spot", "1.123456789", ["underlyings[0].spot", "9 decimals", "at most 8"]),
    ("market", "underlyings.0.confidence", "1.5", ["underlyings[0].confidence", "'1.5'", "0 to 1"]),
    ("market", "underlyings.0.expiries.0.svi.rho", "1", ["svi.rho", "'1'", "-0.9999 to 0.9999"]),
    ("market", "underlyings.0.expiries.0.svi.a", "-0.5", ["svi", "'-0.5'", "at least 0"]),
    ("market", "underlyings.0.expiries.0.rate", "0.05", ["rate", "'0.05'", "exactly 0"]),
    ("market", "underlyings.0.expiries.0.expiry", 1769614910, ["expiry 1769614910", "later than"]),
    ("market", "underlyings.0.symbol", "btc", ["underlyings[0].symbol", "'btc'", "A-Z0-9"]),
    ("market", "underlyings.0.spott", "1", ["underlyings[0].spott", "unknown key"]),
    ("market", "time", 0, ["time", "0", "at least 1"]),
    ("market", "time", None, ["time", "missing"]),
    ("market", "format", "marginproof/market@2", ["format", "marginproof/market@2", "marginproof/market@1"]),
    ("market", "underlyings", [], ["underlyings", "at least 1"]),
    ("model", "default.initialFactor", "11", ["default.initialFactor", "'11'", "0 to 10"]),
    ("model", "default.maintenanceFactor", "1.1", ["maintenanceFactor", "'1.1'", "0 to 1"]),
    ("model", "default.scenarios.0.spot", "0", ["default.scenarios[0].spot", "'0'", "0.01 to 16"]),
    (
        "model",
        "default.scenarios.0.vol",
        "sideways",
        ["default.scenarios[0].vol", "'sideways'", "'none', 'up' or 'down'"],
    ),
    ("model", "default.scenarios.0.weight", "1.01", ["default.scenarios[0].weight", "'1.01'", "0 to 1"]),
    ("model", "default.scenarios", [], ["default.scenarios", "at least 1"]),
    ("model", "default.vol.floorSeconds", 0, ["floorSeconds", "0", "at least 1"]),
    ("portfolio", "cash", "1e3", ["cash", "'1e3'", "plain decimal"]),
    ("portfolio", "cash", 5, ["cash", "5", "in quotes"]),
    ("portfolio", "positions.0.quantity", "0", ["positions[0].quantity", "'0'", "not 0"]),
    (
        "portfolio",
        "positions.0.quantity",
        "100000001",
        ["positions[0].quantity", "100000001", "-100000000 to 100000000"],
    ),
    ("portfolio", "positions.0.instrument", "BTC-31FEB26", ["positions[0].instrument", "31FEB26", "DMMMYY"]),
    (
        "portfolio",
        "positions.0.instrument",
        "BTC-27MAR26-0-C",
        ["positions[0].instrument", "strike '0'", "0.0001 to 100000000"],
    ),
    ("portfolio", "positions.0.instrument", "DOGE", ["positions[0].instrument", "DOGE", "allowed: BTC"]),
    (
        "portfolio",
        "positions.0.instrument",
        "BTC-28MAR26",
        ["positions[0].instrument", "28MAR26", "allowed: 27MAR26"],
    ),
    (
        "portfolio",
        "positions",
        [{"instrument": "BTC", "quantity": "1"}] * 2,
        ["positions[1].instrument", "each instrument once"],
    ),
    ("portfolio", "positions", {"BTC": "1"}, ["positions", "not a list"]),
]


@pytest.mark.parametrize(
    ("which", "path", "value", "words"), BAD, ids=[f"{w}-{p}-{v}"[:60] for w, p, v, _ in BAD]
)
def test_bad_documents_are_told_by_field_value_and_range(
    run: Run,
    files: dict[str, Path],
    write: Write,
    request: pytest.FixtureRequest,
    which: str,
    path: str,
    value: object,
    words: list[str],
) -> None:
    document = request.getfixturevalue(f"{which}_json")
    change(path, value)(document)
    write(f"{which}.json", document)
    done = run(*arguments(files), "--json")
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err
    for word in [*words] if which != "portfolio" or "allowed" in words[-1] else [f"{which}.json", *words]:
        assert word in done.err


@pytest.mark.parametrize("which", ["model", "market", "portfolio"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not valid JSON, line 1 column 1"),
        ("{", "not valid JSON, line 1 column 2"),
        ("[]", "not an object"),
        ("null", "not an object"),
        ('{"format": 1, "format": 2}', "duplicate key"),
        ('{"cash": NaN}', "NaN is not a JSON value"),
        ("[" * 100_000, "nested too deeply"),
        ('{"time": ' + "9" * 10_000 + "}", "too many digits"),
    ],
    ids=["empty", "cut", "list", "null", "duplicate", "nan", "deep", "digits"],
)
def test_malformed_json_is_told_with_its_place(
    run: Run, files: dict[str, Path], write: Write, which: str, content: str, words: str
) -> None:
    path = write(f"{which}.json", content)
    done = run(*arguments(files))
    assert (done.code, done.out) == (2, "")
    assert str(path) in done.err
    assert words in done.err


@pytest.mark.parametrize("which", ["model", "market", "portfolio"])
def test_files_that_are_not_there_or_not_text(
    run: Run, files: dict[str, Path], tmp_path: Path, which: str
) -> None:
    assert "no such file" in run(*arguments(files | {which: tmp_path / "none.json"})).err
    assert "a folder" in run(*arguments(files | {which: tmp_path})).err
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    done = run(*arguments(files | {which: tmp_path / "binary.json"}))
    assert done.code == 2
    assert "not UTF-8 text" in done.err


def test_random_garbage_never_shows_a_traceback(run: Run, files: dict[str, Path], tmp_path: Path) -> None:
    seed = 20260206
    print(f"seed {seed}")
    draw = random.Random(seed)
    names = list(files)
    for turn in range(40):
        which = draw.choice(names)
        good = files[which].read_bytes()
        bad = bytearray(good) if turn % 2 else bytearray(draw.randbytes(draw.randrange(200)))
        for _ in range(draw.randrange(1, 6)):
            if bad:
                bad[draw.randrange(len(bad))] = draw.randrange(256)
        spoiled = tmp_path / "spoiled.json"
        spoiled.write_bytes(bytes(bad))
        done = run(*arguments(files | {which: spoiled}), "--json")
        assert done.code in (0, 2), done.err
        assert (done.code == 0) == bool(done.out)


def test_shipped_snapshots_are_counted_from_one(run: Run, files: dict[str, Path]) -> None:
    for wrong in ("crash:0", "crash:7", "crash:", "crash:x", "crash:" + "9" * 5000):
        done = run("margin", "--model", "options-33", "--market", wrong, "--portfolio", files["portfolio"])
        assert done.code == 2
        assert "allowed: 1 to 6" in done.err
