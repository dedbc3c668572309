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
    """From the values of one unit, the quantities, the static discounts, the add-ons and the factors to the requirement."""
    path = write("portfolio.json", portfolio_json)
    done = run("margin", "--model", "options-33", "--market", "crash:4", "--portfolio", path, "--json")
    assert done.code == 0
    by_symbol: dict[str, list[Json]] = {}
    for position in done.json["positions"]:
        by_symbol.setdefault(position["instrument"].split("-")[0], []).append(position)
    required = Decimal(0)
    for scan in done.json["underlyings"]:
        held = by_symbol[scan["symbol"]]
        index = scan["worstScenario"]
        line = scan["scenarios"][index]
        assert line["decides"]
        there = sum(Decimal(p["quantity"]) * Decimal(p["unitValuesByScenario"][index]) for p in held)
        discounted = sum(
            Decimal(e["discountedOptionValue"]) - Decimal(e["optionValue"]) for e in scan["expiriesInWorst"]
        )
        now = sum(Decimal(p["value"]) for p in held)
        assert Decimal(line["change"]) == Decimal(line["weight"]) * (there + discounted - now)
        for expiry in scan["expiriesInWorst"]:
            exact = Decimal(expiry["optionValue"]) * Decimal(expiry["staticDiscount"])
            assert abs(exact - Decimal(expiry["discountedOptionValue"])) < Decimal("1e-12")
        changes = [Decimal(one["change"]) for one in (*scan["scenarios"], *scan["charges"])]
        assert index == changes.index(min(changes))
        assert Decimal(scan["scan"]) == max(Decimal(0), -min(changes))
        required += Decimal(scan["initialFactor"]) * Decimal(scan["scan"])
        required += sum(Decimal(item["initial"]) for item in scan["addOns"])
    assert Decimal(done.json["account"]["initialMargin"]) == required.quantize(Decimal("1e-8"), ROUND_CEILING)


def test_a_charge_that_decides_is_named(
    run: Run, files: dict[str, Path], write: Write, model_json: Json
) -> None:
    model_json["default"]["delta"] = {"net": "0.5", "hedged": "0"}
    write("model.json", model_json)
    done = run(*arguments(files), "--json").json
    scan = done["underlyings"][0]
    assert (scan["worstScenario"], scan["scan"]) == (2, "90000")
    assert scan["worst"] == "delta charge: 0.5 of net and 0 of hedged delta"
    assert scan["charges"] == [{"index": 2, "charge": "delta", "change": "-90000", "decides": True}]
    assert scan["expiriesInWorst"] == []
    assert (done["positions"][0]["worstUnitValue"], done["positions"][0]["worstChange"]) == (None, None)
    shown = run(*arguments(files)).out
    assert "the loss in charge 2 (delta charge: 0.5 of net and 0 of hedged delta)" in shown
    assert "1 charge" in shown


def test_add_ons_are_named(run: Run, files: dict[str, Path], write: Write, model_json: Json) -> None:
    rates = {"maintenance": "0.1", "initial": "0.05"}
    model_json["default"]["addOns"] = {"collateral": rates}
    write("model.json", model_json)
    done = run(*arguments(files), "--json").json
    assert done["underlyings"][0]["addOns"] == [
        {"name": "collateralHaircut", "notional": "180000", "initial": "27000", "maintenance": "18000"}
    ]
    assert done["account"]["initialMargin"] == "45000"
    assert (
        "BTC add-on, collateral haircut: 27,000.00 initial, 18,000.00 maintenance, on 180,000.00."
        in run(*arguments(files)).out
    )


def test_a_parameter_is_changed_for_one_run(run: Run, files: dict[str, Path]) -> None:
    changes = ["--set", "scenarios[1].weight=1", "--set", "factors.maintenance=0.5"]
    done = run(*arguments(files), *changes, "--json")
    assert done.json["account"]["initialMargin"] == "36000"
    assert done.json["account"]["maintenanceMargin"] == "18000"
    assert done.json["changes"] == ["scenarios[1].weight=1", "factors.maintenance=0.5"]
    assert (
        "Model two with scenarios[1].weight=1, factors.maintenance=0.5"
        in run(*arguments(files), *changes).out
    )
    bad = run(*arguments(files), "--set", "factors.initial=11")
    assert bad.code == 2
    assert "  factors.initial: '11' is out of range; allowed: 0 to 10" in bad.err


def test_a_maintenance_factor_may_be_above_initial_for_one_run(run: Run, files: dict[str, Path]) -> None:
    plain = run(*arguments(files), "--json").json["account"]
    above = run(*arguments(files), "--set", "factors.maintenance=10", "--json").json["account"]
    assert above["initialMargin"] == plain["initialMargin"]
    assert Decimal(above["maintenanceMargin"]) == 10 * Decimal(plain["initialMargin"]) > 0


def test_trades_may_not_take_cash_beyond_its_range(run: Run, files: dict[str, Path]) -> None:
    done = run(*arguments(files), "--add", "BTC-PERP=90000000@100000000")
    assert (done.code, done.out) == (2, "")
    assert "--add: cash would be -8999999999" in done.err
    assert "allowed: at most 1000000000000 either way" in done.err


@pytest.mark.parametrize(
    "change", ["underlyings.DOGE.factors.initial=2", "underlyings.DOGE=null", 'underlyings={"DOGE":{}}']
)
def test_a_symbol_that_nothing_has_is_refused(run: Run, files: dict[str, Path], change: str) -> None:
    done = run(*arguments(files), "--set", change)
    assert (done.code, done.out) == (2, "")
    assert "DOGE" in done.err
    if not change.endswith("{}}"):
        assert (
            f"--set {change.partition('=')[0]}: underlying DOGE is not in the market; allowed: BTC"
            in done.err
        )
    assert run(*arguments(files), "--set", "underlyings.BTC.factors.initial=2").code == 0


def test_a_price_far_from_the_value_is_remarked(run: Run, files: dict[str, Path]) -> None:
    far, near = ["--add", "BTC=1@63000"], ["--add", "BTC=1@72000"]
    trade = run(*arguments(files), *far, "--json").json["whatIf"]["trades"][0]
    assert trade["remark"] == "BTC: price 63,000.00 USD is 30.0 % from its value, 90,000.00 USD"
    assert f"Remark: {trade['remark']}.\n" in run(*arguments(files), *far).out
    assert run(*arguments(files), *near, "--json").json["whatIf"]["trades"][0]["remark"] is None
    assert "Remark" not in run(*arguments(files), *near).out


def test_pasted_floats_are_rounded_when_asked_for(
    run: Run, files: dict[str, Path], write: Write, market_json: Json
) -> None:
    market_json["underlyings"][0]["spot"] = 90000.123456789
    market_json["settlementToken"] = 1.0
    write("market.json", market_json)
    refused = run(*arguments(files))
    assert refused.code == 2
    assert "With --round such figures are read and rounded to the scale instead." in refused.err
    done = run(*arguments(files), "--round", "--json")
    assert done.code == 0
    assert done.err == "market: 1 figure rounded to the scale, first 90000.123456789 to 90000.12345679.\n"
    assert done.json["rounded"] == {"market": 1}
    assert done.json["underlyings"][0]["spot"] == "90000.12345679"


def test_volatilities_per_strike(run: Run, files: dict[str, Path], write: Write, market_json: Json) -> None:
    expiry = market_json["underlyings"][0]["expiries"][0]
    del expiry["svi"]
    expiry["vols"] = {"90000": "0.5"}
    write("market.json", market_json)
    held = {"format": "marginproof/portfolio@1", "cash": "0"}
    write("portfolio.json", held | {"positions": [{"instrument": "BTC-27MAR26-90000-P", "quantity": "-1"}]})
    assert run(*arguments(files)).code == 0
    write("portfolio.json", held | {"positions": [{"instrument": "BTC-27MAR26-91000-P", "quantity": "-1"}]})
    done = run(*arguments(files))
    assert done.code == 2
    assert "'BTC-27MAR26-91000-P': strike 91000 has no volatility" in done.err
    shown = run("market", "show", files["market"])
    assert shown.code == 2
    assert "volatilities per strike are for what-if runs only" in shown.err


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
    ("market", "underlyings.0.expiries.0.rate", "2.05", ["rate", "'2.05'", "-9 to 2"]),
    ("market", "underlyings.0.perpetual", "0", ["underlyings[0].perpetual", "'0'", "0.01 to 1000000"]),
    ("market", "underlyings.0.expiries.0.vols", {"5": "101"}, ["vols.5", "'101'", "0 to 100"]),
    ("market", "underlyings.0.expiries.0.expiry", 1769614910, ["expiry 1769614910", "later than"]),
    ("market", "underlyings.0.symbol", "btc", ["underlyings[0].symbol", "'btc'", "A-Z0-9"]),
    ("market", "underlyings.0.spott", "1", ["underlyings[0].spott", "unknown key"]),
    ("market", "time", 0, ["time", "0", "allowed: 1 to 4294967294"]),
    ("market", "time", None, ["time", "missing"]),
    ("market", "format", "marginproof/market@2", ["format", "marginproof/market@2", "marginproof/market@1"]),
    ("market", "underlyings", [], ["underlyings", "at least 1"]),
    ("model", "default.factors.initial", "11", ["default.factors.initial", "'11'", "0 to 10"]),
    ("model", "format", "marginproof/model@1", ["format", "marginproof/model@1", "marginproof/model@2"]),
    ("model", "default.basis", {}, ["default.basis.up: missing", "default.basis.perYear: missing"]),
    (
        "model",
        "default.skew",
        {"minimum": "0"},
        ["default.skew.minimum", "'0'", "0.000001 to 10"],
    ),
    (
        "model",
        "default.scenarios.1.weight",
        "2",
        ["UnsortedScenarios: scenarios[1] belongs before scenarios[0]"],
    ),
    ("model", "default.scenarios.0.spot", "0", ["default.scenarios[0].spot", "'0'", "0.01 to 16"]),
    (
        "model",
        "default.scenarios.0.vol",
        "sideways",
        [
            "default.scenarios[0].vol",
            "'sideways'",
            "'none', 'up', 'down', 'add', 'linearSkew' or 'absoluteSkew'",
        ],
    ),
    ("model", "default.scenarios.0.weight", "9.01", ["default.scenarios[0].weight", "'9.01'", "0 to 9"]),
    ("model", "default.scenarios", [], ["default.scenarios", "at least 1"]),
    ("model", "default.vol.floorSeconds", 0, ["floorSeconds", "0", "allowed: 1 to 34560000"]),
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


WHAT_IF = ["--add", "BTC-27MAR26-90000-C=-1", "--add", "BTC=-0.5@91000"]


def test_trades_on_top_and_their_own_share(run: Run, files: dict[str, Path]) -> None:
    done = run(*arguments(files), *WHAT_IF, "--json").json
    found = done["whatIf"]
    assert found["before"] == done["account"]
    for name, share in found["share"].items():
        assert Decimal(found["after"][name]) - Decimal(found["before"][name]) == Decimal(share)
        assert sum(Decimal(trade["share"][name]) for trade in found["trades"]) == Decimal(share)
    call, spot = found["trades"]
    assert (call["priceIsValue"], spot["priceIsValue"], spot["price"]) == (True, False, "91000")
    assert abs(Decimal(call["share"]["equity"])) <= Decimal("1e-8")
    assert spot["share"]["equity"] == "500"
    assert found["share"]["cash"] == str(Decimal(call["price"]) + 45500)
    (scan,) = found["underlyings"]
    assert Decimal(scan["scan"]["share"]) == Decimal(found["share"]["initialMargin"])
    assert scan["worstBefore"] == "spot x 0.8, vol up, weight 0.5"
    assert len(scan["scenarios"]) == 2
    for line in scan["scenarios"]:
        assert Decimal(line["after"]) - Decimal(line["before"]) == Decimal(line["share"])


def test_after_the_trades_it_is_the_portfolio_that_results(
    run: Run, files: dict[str, Path], write: Write, portfolio_json: Json
) -> None:
    found = run(*arguments(files), *WHAT_IF, "--json").json["whatIf"]
    portfolio_json["cash"] = found["after"]["cash"]
    portfolio_json["positions"] = [
        {"instrument": "BTC", "quantity": "1.5"},
        {"instrument": "BTC-27MAR26-90000-C", "quantity": "-1"},
    ]
    write("portfolio.json", portfolio_json)
    assert run(*arguments(files), "--json").json["account"] == found["after"]


def test_a_file_of_trades_is_the_same(run: Run, files: dict[str, Path], write: Write) -> None:
    trades = [
        {"instrument": "BTC-27MAR26-90000-C", "quantity": "-1"},
        {"instrument": "BTC", "quantity": "-0.5", "price": "91000"},
    ]
    path = write("trades.json", {"format": "marginproof/trades@1", "trades": trades})
    from_file = run(*arguments(files), "--add", path, "--json").json
    assert from_file == run(*arguments(files), *WHAT_IF, "--json").json
    shown = run(*arguments(files), "--add", path).out
    assert "Sells 1 BTC-27MAR26-90000-C at" in shown
    assert "Sells 0.5 BTC at 91,000.00 USD." in shown
    assert "trades' share" in shown


def test_a_trade_that_closes_everything(run: Run, files: dict[str, Path]) -> None:
    found = run(*arguments(files), "--add", "BTC=-2", "--json").json["whatIf"]
    assert (found["after"]["initialMargin"], found["after"]["cash"]) == ("0", "200000")
    assert found["underlyings"][0]["worstAfter"] is None
    assert run(*arguments(files), "--add", "BTC=-2").code == 0


@pytest.mark.parametrize(
    ("trade", "words"),
    [
        ("nonsense", "neither a file nor a trade"),
        ("none.json", "no such file"),
        ("BTC=", "quantity: '' is not a plain decimal"),
        ("BTC=0", "quantity: '0' is out of range"),
        ("BTC=1@", "price: '' is not a plain decimal"),
        ("BTC=1@1e9", "price: '1e9' is not a plain decimal"),
        ("btc=1", "symbol 'btc'"),
        ("DOGE=1", "underlying DOGE is not in the market"),
        ("BTC-28MAR26=1", "expiry 28MAR26 of BTC is not in the market"),
        ("BTC=-2.5", "-0.5 BTC would be held: spot collateral cannot be sold short"),
        ("BTC=100000000", "100000002 BTC would be held; allowed: at most 100000000 either way"),
        ("", "neither a file nor a trade"),
        ("x" * 5000, "neither a file nor a trade"),
        ("=1", "symbol ''"),
    ],
)
def test_a_bad_trade_is_told(run: Run, files: dict[str, Path], trade: str, words: str) -> None:
    done = run(*arguments(files), "--add", trade)
    assert (done.code, done.out) == (2, "")
    assert "--add" in done.err or "no such file" in done.err
    assert words in done.err
