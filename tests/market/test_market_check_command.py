"""`marginproof market check`, and what `market import` and `market fit` tell about arbitrage and refits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marginproof.cli.main import run
from marginproof.documents import document_json, save_document
from marginproof.market.crash import load_crash

from .chains import DAY, TIME, chain, write
from .test_market_import import bent

Captured = pytest.CaptureFixture[str]


def tell(capsys: Captured, *arguments: object) -> tuple[int, str, str]:
    code = run([str(item) for item in arguments])
    read = capsys.readouterr()
    return code, read.out, read.err


def test_check_lists_arbitrage_as_warnings(capsys: Captured) -> None:
    code, out, _ = tell(capsys, "market", "check", "crash:4")
    assert code == 0
    assert "BTC, ETH, 24 expiries, every figure within its range." in out
    assert "arbitrage: BTC-24APR26: butterfly arbitrage, worst at strike" in out
    assert "arbitrage: BTC-26JUN26 crosses BTC-25SEP26: calendar arbitrage" in out
    code, out, _ = tell(capsys, "market", "check", "crash:4", "--json")
    made = json.loads(out)
    assert (code, made["counts"]["butterfly"], made["expiries"]) == (0, 4, 24)
    assert len(made["arbitrage"]) == sum(made["counts"].values())
    crossed = [item for item in made["arbitrage"] if item["violation"] == "calendar"]
    assert all(item["laterExpiry"] > item["expiry"] and float(item["amount"]) > 0 for item in crossed)


def test_check_of_a_clean_file_says_so(capsys: Captured, tmp_path: Path) -> None:
    document = load_crash()[0]
    btc = document.underlyings[0]
    one = btc.model_copy(update={"expiries": btc.expiries[:1]})
    path = tmp_path / "market.json"
    save_document(document.model_copy(update={"underlyings": (one,)}), path)
    code, out, _ = tell(capsys, "market", "check", path)
    assert code == 0
    assert "arbitrage: none found within 8 standard deviations of the forwards" in out


def test_check_refuses_what_is_out_of_range(capsys: Captured, tmp_path: Path) -> None:
    made: dict[str, Any] = json.loads(document_json(load_crash()[0]))
    made["underlyings"][0]["expiries"][0]["forward"] = "-1"
    path = tmp_path / "market.json"
    path.write_text(json.dumps(made))
    code, out, err = tell(capsys, "market", "check", path)
    assert (code, out) == (2, "")
    assert "underlyings[0].expiries[0].forward: '-1' is out of range" in err


def test_import_and_fit_tell_findings_refits_and_misses(capsys: Captured, tmp_path: Path) -> None:
    rows = bent(chain(), 8, lambda k: 3.0 + (0.1 if round(k * 1000) % 2 else 0.0))
    path = write(tmp_path / "chain.csv", rows)
    code, out, _ = tell(capsys, "market", "fit", path, "--json")
    made = json.loads(out)
    assert code == 0
    assert "calendar" in {item["violation"] for item in made["arbitrage"]}
    fitted = made["fitted"][1]
    assert (fitted["expiry"], fitted["coarse"], fitted["refitted"]) == (TIME + 8 * DAY, True, False)
    assert {"strike", "quotedVol", "fittedVol"} == set(fitted["notMet"][0])
    target = tmp_path / "market.json"
    code, out, _ = tell(capsys, "market", "import", path, "-o", target)
    assert code == 0
    for part in ("arbitrage: BTC-", "coarse: BTC-", "not met: BTC-"):
        assert part in out


def test_findings_of_other_underlyings_are_left_out_with_them(capsys: Captured, tmp_path: Path) -> None:
    crossed = bent(chain(), 8, lambda k: 3.0 + k * k)
    path = write(tmp_path / "chain.csv", crossed + chain("ETH", 1900.0))
    _, out, _ = tell(capsys, "market", "fit", path, "--symbol", "ETH", "--json")
    assert json.loads(out)["arbitrage"] == []
    _, out, _ = tell(capsys, "market", "fit", path, "--symbol", "BTC", "--json")
    assert len(json.loads(out)["arbitrage"]) == 1
