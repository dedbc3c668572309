"""The market format: accepted means exactly what it says; refused names field, value and range."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marginproof.documents import (
    document_json,
    load_market,
    market_from_spec,
    market_symbols,
    market_to_spec,
    parse_document,
    save_document,
)
from marginproof.documents.market_document import MarketDocument
from marginproof.errors import InputError
from marginproof.spec.market import check_market, market_hash

from .changes import REMOVED, changed

Json = dict[str, Any]
SMILE = "underlyings.0.expiries.0.svi"


def parse(document: object) -> MarketDocument:
    return parse_document(MarketDocument, json.dumps(document), "market.json")


def test_a_market_becomes_the_snapshot_of_the_specification(market_json: Json) -> None:
    snapshot = market_to_spec(parse(market_json), {"BTC": 7})
    assert snapshot.time == 1769614910
    assert snapshot.settlement_token_e8 == 10**8
    (section,) = snapshot.underlyings
    assert (section.underlying, section.spot_e8, section.funding_e8) == (7, 8_933_752_000_000, -25_000_000)
    assert section.confidence_wad == 10**18
    assert [(item.expiry, item.price_e8) for item in section.settlements] == [(1769500800, 8_800_000_000_000)]
    assert section.expiries[0].forward_e8 == 8_933_752_758_000
    smile = section.expiries[0].svi
    assert (smile.a, smile.b, smile.rho) == (-(10**14), 2 * 10**16, -2 * 10**17)
    assert (smile.m, smile.sigma) == (10**16, 5 * 10**16)


def test_order_in_the_file_does_not_matter(market_json: Json) -> None:
    btc = market_json["underlyings"][0]
    second = {**btc["expiries"][0], "expiry": 1769760000}
    eth = {**btc, "symbol": "ETH", "spot": "3000", "expiries": [second, btc["expiries"][0]]}
    one = parse({**market_json, "underlyings": [btc, eth]})
    other = parse({**market_json, "underlyings": [eth, btc]})
    assert market_symbols(one) == market_symbols(other) == {"BTC": 1, "ETH": 2}
    snapshots = [market_to_spec(document, market_symbols(document)) for document in (one, other)]
    assert market_hash(snapshots[0]) == market_hash(snapshots[1])
    assert [item.expiry for item in snapshots[0].underlyings[1].expiries] == [1769673600, 1769760000]


def test_there_and_back(market_json: Json, tmp_path: Path) -> None:
    document = parse(market_json)
    snapshot = market_to_spec(document, {"BTC": 1})
    check_market(snapshot)
    assert market_from_spec(snapshot, {"BTC": 1}, "made up") == document
    save_document(document, tmp_path / "market.json")
    assert load_market(tmp_path / "market.json") == document
    assert json.loads(document_json(document)) == market_json


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("format", "marginproof/market@2", ["format:", "'marginproof/market@2'", "'marginproof/market@1'"]),
        ("time", "1769614910", ["time:", "'1769614910'", "whole number"]),
        ("time", 1.5, ["time:", "1.5", "whole number"]),
        ("time", True, ["time:", "true", "whole number", "allowed: 1 to 4294967294"]),
        ("time", 0, ["time:", "0 is out of range; allowed: 1 to 4294967294"]),
        ("time", 2**32, ["time:", "4294967296 is out of range; allowed: 1 to 4294967294"]),
        ("source", "", ["source:", "at least 1 characters"]),
        ("settlementToken", "0", ["settlementToken:", "'0'", "0.00000001 to 10"]),
        ("settlementToken", "10.00000001", ["settlementToken:", "'10.00000001'", "0.00000001 to 10"]),
        ("settlementToken", REMOVED, ["settlementToken:", "missing"]),
        ("typo", "1", ["typo:", "unknown key", "'1'"]),
        ("underlyings", [], ["underlyings:", "0 entries", "at least 1"]),
        ("underlyings", {}, ["underlyings:", "not a list"]),
        ("underlyings.0", "BTC", ["underlyings[0]:", "'BTC'", "not an object"]),
        ("underlyings.0.symbol", "btc", ["underlyings[0].symbol:", "'btc'", "[A-Z0-9]{1,10}"]),
        (
            "underlyings.0.symbol",
            "ABCDEFGHIJK",
            ["underlyings[0].symbol:", "'ABCDEFGHIJK'", "[A-Z0-9]{1,10}"],
        ),
        ("underlyings.0.symbol", 5, ["underlyings[0].symbol:", "5", "text in quotes"]),
        ("underlyings.0.spot", 89337.52, ["underlyings[0].spot:", "89337.52 is a JSON number", '"89337.52"']),
        ("underlyings.0.spot", None, ["underlyings[0].spot:", "null", "0.01 to 1000000"]),
        (
            "underlyings.0.spot",
            "0.009",
            ["underlyings[0].spot:", "'0.009' is out of range", "0.01 to 1000000"],
        ),
        (
            "underlyings.0.spot",
            "1000000.00000001",
            ["underlyings[0].spot:", "out of range", "0.01 to 1000000"],
        ),
        ("underlyings.0.spot", "1.123456789", ["underlyings[0].spot:", "9 decimals", "at most 8"]),
        ("underlyings.0.spot", "1e5", ["underlyings[0].spot:", "'1e5'", "not a plain decimal"]),
        ("underlyings.0.spot", "NaN", ["underlyings[0].spot:", "'NaN'", "not a plain decimal"]),
        ("underlyings.0.confidence", "1.01", ["underlyings[0].confidence:", "'1.01'", "0 to 1"]),
        ("underlyings.0.funding", "-1000000.1", ["underlyings[0].funding:", "-1000000 to 1000000"]),
        (
            "underlyings.0.settlements.0.price",
            "0",
            ["settlements[0].price:", "'0'", "0.00000001 to 100000000"],
        ),
        ("underlyings.0.expiries.0.forward", "-5", ["expiries[0].forward:", "'-5'", "0.01 to 1000000"]),
        ("underlyings.0.expiries.0.rate", "2.01", ["expiries[0].rate:", "'2.01'", "-9 to 2"]),
        ("underlyings.0.expiries.0.confidence", "1.01", ["expiries[0].confidence:", "'1.01'", "0 to 1"]),
        ("underlyings.0.expiries.0.vols", {"80000": "0.5"}, ["expiries[0].vols:", "what-if runs only"]),
        ("underlyings.0.perpetual", "0", ["underlyings[0].perpetual:", "'0'", "0.01 to 1000000"]),
        (f"{SMILE}.a", "9.1", ["expiries[0].svi.a:", "'9.1'", "-4 to 9"]),
        (f"{SMILE}.b", "-0.1", ["expiries[0].svi.b:", "'-0.1'", "0 to 2"]),
        (f"{SMILE}.rho", "1", ["expiries[0].svi.rho:", "'1'", "-0.9999 to 0.9999"]),
        (f"{SMILE}.m", "4.1", ["expiries[0].svi.m:", "'4.1'", "-4 to 4"]),
        (f"{SMILE}.sigma", "0", ["expiries[0].svi.sigma:", "'0'", "0.000001 to 4"]),
        (f"{SMILE}.a", "-0.00098", ["expiries[0].svi:", "'-0.00098'", "variance negative", "at least 0"]),
        (f"{SMILE}.sigma", REMOVED, ["expiries[0].svi.sigma:", "missing"]),
    ],
)
def test_a_bad_value_names_field_value_and_range(
    market_json: Json, path: str, value: object, parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(market_json, path, value))
    message = str(caught.value)
    assert message.startswith("market.json: 1 problem\n")
    assert all(part in message for part in parts), message


def test_a_live_expiry_must_lie_ahead_and_a_settled_one_behind(market_json: Json) -> None:
    with pytest.raises(InputError, match=r"expiry 1769614910 has passed at time 1769614910.*allowed: later"):
        parse(changed(market_json, "underlyings.0.expiries.0.expiry", 1769614910))
    with pytest.raises(InputError, match=r"expiry 1769614911 is after time 1769614910.*allowed: not after"):
        parse(changed(market_json, "underlyings.0.settlements.0.expiry", 1769614911))


def test_repeated_entries_are_refused(market_json: Json) -> None:
    btc = market_json["underlyings"][0]
    with pytest.raises(InputError, match="symbol 'BTC' is given more than once"):
        parse({**market_json, "underlyings": [btc, btc]})
    with pytest.raises(InputError, match="expiry 1769673600 is given more than once"):
        parse(changed(market_json, "underlyings.0.expiries", btc["expiries"] * 2))


def test_limits_on_the_number_of_entries(market_json: Json) -> None:
    btc = market_json["underlyings"][0]
    nine = [{**btc, "symbol": f"A{index}"} for index in range(9)]
    with pytest.raises(InputError, match=r"underlyings: more than 8 entries; allowed: at most 8"):
        parse({**market_json, "underlyings": nine})
    assert len(parse({**market_json, "underlyings": nine[:8]}).underlyings) == 8
    many = [{**btc["expiries"][0], "expiry": 1769673600 + index} for index in range(33)]
    with pytest.raises(InputError, match=r"underlyings\[0\].expiries: more than 32 entries"):
        parse(changed(market_json, "underlyings.0.expiries", many))
    settled = [{"expiry": 1769500800 - index, "price": "1"} for index in range(33)]
    with pytest.raises(InputError, match=r"underlyings\[0\].settlements: more than 32 entries"):
        parse(changed(market_json, "underlyings.0.settlements", settled))


def test_every_problem_is_listed(market_json: Json) -> None:
    broken = changed(changed(market_json, "underlyings.0.spot", "x"), "settlementToken", "0")
    with pytest.raises(InputError, match="2 problems") as caught:
        parse(broken)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not valid JSON, line 1 column 1"),
        ('{"format": "marginproof/market@1",\n  "time": }', "not valid JSON, line 2 column 11"),
        ('{"time": 1, "time": 2}', "market.json: time: duplicate key 'time' in one object (values 1 and 2)"),
        ('{"time": NaN}', "market.json: time: NaN is not a JSON value"),
        (
            '{"a": [{"b": 1}, {"c": {"d": 1, "d": {"e": 2}}}]}',
            "market.json: a[1].c.d: duplicate key 'd' in one object (values 1 and {",
        ),
        ('{"a": [1, {"b": [NaN]}]}', "market.json: a[1].b[0]: NaN is not"),
        ("NaN", "market.json: document: NaN is not"),
        ('{"time": -Infinity}', "-Infinity is not a JSON value"),
        ("[" * 100_000, "nested too deeply"),
        ('{"time": ' + "1" * 5000 + "}", "too many digits"),
        ("[]", "document: [] is not an object"),
        ("null", "document: null is not an object"),
        ('{"source": "\\ud800"}', "market.json: "),
    ],
)
def test_text_that_is_not_acceptable_json(text: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_document(MarketDocument, text, "market.json")
    assert part in str(caught.value)


@pytest.mark.parametrize(
    "path", ["underlyings.0.perpetual", "underlyings.0.expiries.0.confidence", "underlyings.0.expiries.0.fit"]
)
def test_null_is_no_value(market_json: Json, path: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(market_json, path, None))
    place = path.replace(".0", "[0]")
    assert f"1 problem\n  {place}: null is not a value here; leave the key out" in str(caught.value)
    with pytest.raises(InputError, match="2 problems"):
        parse(changed(changed(market_json, path, None), "underlyings.0.spot", None))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.json: no such file"):
        load_market(tmp_path / "absent.json")
    with pytest.raises(InputError, match="a folder, not a file"):
        load_market(tmp_path)
    (tmp_path / "latin.json").write_bytes(b'{"source": "\xe9"}')
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 12\)"):
        load_market(tmp_path / "latin.json")


def test_a_symbol_without_id_is_refused(market_json: Json) -> None:
    with pytest.raises(InputError, match="unknown symbol BTC; allowed: ETH, SOL"):
        market_to_spec(parse(market_json), {"SOL": 1, "ETH": 2})
    snapshot = market_to_spec(parse(market_json), {"BTC": 3})
    with pytest.raises(InputError, match=r"underlying id 3 has no symbol; known ids: \[1\]"):
        market_from_spec(snapshot, {"BTC": 1}, "made up")
    with pytest.raises(InputError, match="OutOfRange"):
        market_to_spec(parse(market_json), {"BTC": 64})
