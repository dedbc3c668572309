"""`marginproof epoch compute`: one root however it is computed, what each wrong file is told, and nothing written in part."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.conftest import Ended, Json, Run
from engine.epochs import drawn
from marginproof.cli import chain
from marginproof.documents import InstrumentName
from marginproof.engine.netting import Margins
from marginproof.protocol.state import AccountState, PostedEpoch, VenueState
from marginproof.spec.instruments import Kind
from marginproof.spec.market import encode_market
from marginproof.spec.model import encode_model
from marginproof.spec.portfolio import Position
from marginproof.spec.typed_data import EpochHeader

Write = Callable[[str, Any], Path]
Columns = dict[str, Any]
SYMBOLS = {1: "BTC", 2: "ETH"}


@pytest.fixture
def accounts_json(portfolio_json: Json) -> Json:
    """Three accounts, the second one empty."""
    empty = portfolio_json | {"positions": []}
    turned = portfolio_json | {"positions": portfolio_json["positions"][::-1]}
    return {"format": "marginproof/accounts@1", "accounts": [portfolio_json, empty, turned]}


def columns(count: int = 5_000) -> Columns:
    """The accounts of `drawn` as a file's columns; spot collateral is held long."""
    inputs = drawn(count)
    p, known = inputs.portfolios, inputs.instruments
    spot = np.isin(p.ids, known.ids[known.kind == Kind.SPOT])
    names = [
        str(InstrumentName(SYMBOLS[i.underlying], i.kind, i.expiry, i.strike_e8)) for i in known.instruments
    ]
    return {
        "offsets": p.offsets.copy(),
        "ids": p.ids.copy(),
        "quantities": np.where(spot, abs(p.quantities), p.quantities),
        "instruments": np.array(names),
        "instrument_ids": known.ids.copy(),
    }


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Columns], Path]:
    """Writes columns to accounts.npz."""

    def to_file(arrays: Columns) -> Path:
        path = tmp_path / "accounts.npz"
        np.savez(path, **arrays)
        return path

    return to_file


def compute(run: Run, accounts: Path, *options: object, market: object = "crash:4") -> Ended:
    return run(
        "epoch", "compute", "--market", market, "--model", "options-33", "--accounts", accounts, *options
    )


def test_figures_are_those_of_margin(
    run: Run, write: Write, accounts_json: Json, portfolio_json: Json, tmp_path: Path
) -> None:
    out = tmp_path / "figures.npz"
    done = compute(run, write("accounts.json", accounts_json), "--json", "--out", out)
    assert (done.code, done.err) == (0, "")
    expected = {"leafCount": 3, "positions": 8, "executor": "local", "parts": 1, "posted": None}
    assert {name: done.json[name] for name in expected} == expected
    assert isinstance(done.json["seconds"], str)
    assert float(done.json["seconds"]) > 0
    alone = run(
        "margin",
        "--market",
        "crash:4",
        "--model",
        "options-33",
        "--portfolio",
        write("p.json", portfolio_json),
        "--json",
    ).json["account"]
    with np.load(out) as figures:
        assert "0x" + figures["root"].tobytes().hex() == done.json["leafRoot"]
        margins = Margins(figures["money"], figures["worst"], figures["worst_lengths"])
        assert (figures["portfolio_hashes"][0] == figures["portfolio_hashes"][2]).all()
        assert figures["portfolio_hashes"].shape == (3, 32)
    initial = f"{margins.money[0, 2, 1] / 1e8:.8f}".rstrip("0").rstrip(".")
    assert (margins.money[0] == margins.money[2]).all()
    assert not margins.money[1].any()
    assert initial == alone["initialMargin"]


def test_one_root(run: Run, save: Callable[[Columns], Path]) -> None:
    path = save(columns(20_000))
    found = [
        compute(run, path, "--json", "--parts", parts, "--threads", threads).json
        for parts, threads in ((1, 1), (1, 2), (2, 2), (3, 1), (9, 2))
    ]
    assert len({item["leafRoot"] for item in found}) == 1
    assert [item["parts"] for item in found] == [1, 1, 2, 3, 5]
    shown = compute(run, path)
    assert shown.code == 0
    assert f"root       {found[0]['leafRoot']}" in shown.out
    assert "20000 accounts" in shown.out


def test_both_formats_give_one_root(run: Run, write: Write, save: Callable[[Columns], Path]) -> None:
    arrays = columns(50)
    names = dict(zip(arrays["instrument_ids"].tolist(), arrays["instruments"].tolist(), strict=True))
    held = np.unique(arrays["ids"])
    renumbered = np.searchsorted(held, arrays["ids"]).astype(np.uint32) + np.uint32(1)
    accounts = []
    for start, stop in zip(arrays["offsets"], arrays["offsets"][1:], strict=False):
        positions = [
            {"instrument": names[int(i)], "quantity": f"{int(q) // 10**8 if q > 0 else -(-int(q) // 10**8)}"}
            for i, q in zip(arrays["ids"][start:stop], arrays["quantities"][start:stop], strict=True)
        ]
        accounts.append({"format": "marginproof/portfolio@1", "cash": "0", "positions": positions})
    for account in accounts:
        for position in account["positions"]:
            position["quantity"] = position["quantity"] if position["quantity"] not in ("0", "-0") else "1"
    quantities = [int(p["quantity"]) * 10**8 for account in accounts for p in account["positions"]]
    arrays |= {
        "ids": renumbered,
        "quantities": np.array(quantities),
        "instruments": np.array([names[int(i)] for i in held]),
        "instrument_ids": np.arange(1, len(held) + 1, dtype=np.uint32),
    }
    document = write("accounts.json", {"format": "marginproof/accounts@1", "accounts": accounts})
    one, two = compute(run, document, "--json"), compute(run, save(arrays), "--json")
    assert one.json["leafRoot"] == two.json["leafRoot"]


def test_no_accounts(run: Run, write: Write) -> None:
    done = compute(run, write("a.json", {"format": "marginproof/accounts@1", "accounts": []}), "--json")
    assert (done.code, done.json["leafCount"]) == (0, 0)


def _set(name: str, place: int, value: object) -> Callable[[Columns], None]:
    def change(arrays: Columns) -> None:
        arrays[name][place] = value

    return change


def _cast(name: str, dtype: str) -> Callable[[Columns], None]:
    def change(arrays: Columns) -> None:
        arrays[name] = arrays[name].astype(dtype)

    return change


def _nan(arrays: Columns) -> None:
    arrays["quantities"] = arrays["quantities"].astype(float)
    arrays["quantities"][3] = np.nan


def _unsorted(arrays: Columns) -> None:
    start = int(arrays["offsets"][np.flatnonzero(np.diff(arrays["offsets"]) > 1)[0]])
    arrays["ids"][start : start + 2] = arrays["ids"][start : start + 2][::-1]


def _short_spot(arrays: Columns) -> None:
    first = int(arrays["offsets"][np.flatnonzero(np.diff(arrays["offsets"]))[0]])
    arrays["ids"][first], arrays["quantities"][first] = 1, -5


def _put_first(arrays: Columns) -> None:
    place = next(i for i, name in enumerate(arrays["instruments"]) if name.endswith("-C"))
    arrays["instruments"][[place, place + 1]] = arrays["instruments"][[place + 1, place]]


def _split_expiry(arrays: Columns) -> None:
    names = arrays["instruments"].tolist()
    places = [i for i, name in enumerate(names) if name.count("-") == 1 and not name.endswith("PERP")]
    arrays["instruments"][[places[0], places[1]]] = arrays["instruments"][[places[1], places[0]]]


def _not_in_market(arrays: Columns) -> None:
    place = next(i for i, name in enumerate(arrays["instruments"]) if name.endswith("-C"))
    arrays["instruments"] = np.array(
        [*arrays["instruments"][:place], "BTC-1999999999", *arrays["instruments"][place + 1 :]]
    )


def _without(name: str) -> Callable[[Columns], None]:
    def change(arrays: Columns) -> None:
        del arrays[name]

    return change


def _extra(arrays: Columns) -> None:
    arrays["cash"] = np.zeros(3)


def _shorter(name: str) -> Callable[[Columns], None]:
    def change(arrays: Columns) -> None:
        arrays[name] = arrays[name][:-1]

    return change


BAD = {
    "NaN": (_nan, "accounts.npz: quantities is float64 array"),
    "floats": (_cast("quantities", "float64"), "allowed: int64 array, shape"),
    "wide ids": (_cast("ids", "int64"), "accounts.npz: ids is int64 array"),
    "byte order": (_cast("quantities", ">i8"), "in another byte order; allowed: int64 array"),
    "numbers for names": (lambda a: a.update(instruments=np.arange(len(a["instruments"]))), "allowed: array of texts"),
    "objects": (lambda a: a.update(instruments=a["instruments"].astype(object)), "cannot be read as numpy columns"),
    "too few quantities": (_shorter("quantities"), "accounts.npz: quantities is int64 array, shape"),
    "too few names": (_shorter("instruments"), "allowed: array of texts"),
    "offsets short": (_shorter("offsets"), "allowed: numbers from 0 to"),
    "offsets fall": (_set("offsets", 7, 1_000_000), "falling somewhere; allowed: numbers from 0 to"),
    "offsets from 1": (_set("offsets", 0, 1), "offsets is 1 .. "),
    "zero": (_set("quantities", -1, 0), "the quantity of instrument id"),
    "beyond the cap": (_set("quantities", -1, 10**16 + 1), "is 10000000000000001 (E8); allowed: at most 10^16"),
    "below the cap": (_set("quantities", -1, -(2**63)), "is -9223372036854775808 (E8); allowed: at most 10^16"),
    "unknown id": (_set("ids", -1, 4_000_000_000), "instrument id 4000000000 is held but is not in instrument_ids"),
    "unsorted": (_unsorted, "allowed: strictly increasing ids, each once"),
    "ids fall": (_set("instrument_ids", 5, 1), "instrument id 1 follows 5; allowed: strictly increasing"),
    "id twice": (_set("instruments", 5, "BTC"), "'BTC' is out of order after"),
    "name": (_set("instruments", 5, "btc"), "instruments[5]: 'btc': symbol 'btc'"),
    "underlying": (_set("instruments", 0, "SOL"), "instruments[0]: SOL: unknown underlying SOL; allowed: BTC, ETH"),
    "put first": (_put_first, "is out of order after"),
    "expiries mixed": (_split_expiry, "is out of order after"),
    "expiry not quoted": (_not_in_market, "is out of order after"),
    "spot short": (_short_spot, "spot collateral cannot be sold short; allowed: above 0"),
    "column missing": (_without("ids"), "allowed: exactly offsets, ids, quantities, instruments, instrument_ids"),
    "column extra": (_extra, "arrays cash, ids, instrument_ids"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BAD))
def test_bad_columns(run: Run, save: Callable[[Columns], Path], tmp_path: Path, name: str) -> None:
    change, expected = BAD[name]
    arrays = columns(200)
    change(arrays)
    done = compute(run, save(arrays), "--out", tmp_path / "out.npz", "--json")
    assert (done.code, done.out) == (2, "")
    assert expected in done.err
    assert "accounts.npz: " in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accounts.npz"]


def test_the_account_of_a_bad_position_is_told(run: Run, save: Callable[[Columns], Path]) -> None:
    arrays = columns(200)
    account = int(np.flatnonzero(np.diff(arrays["offsets"]))[-1])
    arrays["quantities"][-1] = 0
    assert f"accounts.npz: account {account}: the quantity" in compute(run, save(arrays)).err


def test_an_expiry_that_the_market_lacks(run: Run, save: Callable[[Columns], Path]) -> None:
    arrays = {
        "offsets": np.array([0, 1]),
        "ids": np.array([1], np.uint32),
        "quantities": np.array([10**8]),
        "instruments": np.array(["BTC-1999999999", "ETH-1999999999"]),
        "instrument_ids": np.array([1, 2], np.uint32),
    }
    done = compute(run, save(arrays))
    assert done.code == 2
    assert "accounts.npz: 1 problem\n  instrument id 1: 'BTC-1999999999': expiry" in done.err
    arrays["instruments"][0] = "BTC-PERP"
    assert compute(run, save(arrays)).code == 0


def _bytes(arrays: Columns) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _bomb() -> bytes:
    header = str({"descr": "<i8", "fortran_order": False, "shape": (1 << 55,)}).ljust(117) + "\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("offsets", "ids", "quantities", "instruments", "instrument_ids"):
            archive.writestr(
                f"{name}.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
            )
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not an .npz file, or one that was cut off"),
        (b"PK\x03\x04 nothing", "not an .npz file, or one that was cut off"),
        (_bytes(columns(20))[:-40], "not an .npz file, or one that was cut off"),
        (_bytes(columns(20))[:300] + b"\xff" * 50 + _bytes(columns(20))[350:], "cannot be read as numpy columns"),
        (_bomb(), "larger than this machine's memory"),
    ],
    ids=["empty", "start only", "cut", "changed", "huge"],
)  # fmt: skip
def test_corrupt_files(run: Run, tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "accounts.npz"
    path.write_bytes(content)
    done = compute(run, path)
    assert done.code == 2
    assert expected in done.err


def test_missing_files(run: Run, tmp_path: Path) -> None:
    for name in ("none.npz", "none.json"):
        done = compute(run, tmp_path / name)
        assert (done.code, "no such file" in done.err) == (2, True)
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    assert "a folder, not a file" in compute(run, folder).err


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("accounts", 1, "positions"), None, "accounts[1].positions: "),
        (("accounts", 0, "positions", 0, "quantity"), "100000001", "accounts[0].positions[0].quantity: "),
        (("accounts", 0, "positions", 0, "quantity"), "NaN", "accounts[0].positions[0].quantity: 'NaN'"),
        (("accounts", 2, "positions", 1, "instrument"), "BTC-1999999999", "accounts[2]: 1 problem\n  positions[1]"),
        (("accounts", 0, "positions", 0, "quantity"), "-1", "spot collateral cannot be sold short"),
        (("format",), "marginproof/portfolio@1", "allowed: 'marginproof/accounts@1'"),
        (("more",), 1, "more: unknown key"),
    ],
)  # fmt: skip
def test_bad_documents(
    run: Run,
    write: Write,
    accounts_json: Json,
    tmp_path: Path,
    path: tuple[Any, ...],
    value: Any,
    expected: str,
) -> None:
    accounts_json = json.loads(json.dumps(accounts_json))
    target: Any = accounts_json
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    done = compute(run, write("a.json", accounts_json), "--out", tmp_path / "out.npz")
    assert (done.code, done.out) == (2, "")
    assert expected in done.err
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--parts", 0], "0 is not accepted; allowed: whole numbers 1 to 1048576"),
        (["--parts", "x"], "x is not accepted"),
        (["--threads", 257], "257 is not accepted; allowed: whole numbers 1 to 256"),
        (["--executor", "cloud"], "cloud"),
        (["--address", "auto"], "--address is for --executor ray only"),
        (["--round", 3], "--round and --deployment are for an epoch from the chain"),
        (["--out", "no/such/folder/x.npz"], "does not exist; make this folder first"),
    ],
)
def test_bad_options(
    run: Run, write: Write, accounts_json: Json, options: list[object], expected: str
) -> None:
    done = compute(run, write("a.json", accounts_json), *options)
    assert (done.code, done.out) == (2, "")
    assert expected in done.err


def test_some_files_are_not_enough(run: Run) -> None:
    done = run("epoch", "compute", "--market", "crash:4")
    assert done.code == 2
    assert "needs --model, --accounts as well" in done.err


def test_ray_has_to_be_installed(
    run: Run, write: Write, accounts_json: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = compute(run, write("a.json", accounts_json), "--executor", "ray")
    assert done.code == 3
    assert "needs the Python package ray" in done.err
    assert "or use --executor local" in done.err


@dataclass(frozen=True, slots=True)
class Venue:
    """A venue that answers from memory."""

    states: dict[int | None, VenueState]

    def state(self, block: int | None = None) -> VenueState:
        return self.states[block]


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], bytes]:
    """Puts a venue of two accounts in place, whose epoch 5 has the given root; gives the right one."""

    def make(root: bytes) -> bytes:
        inputs = drawn(2)
        market, model = inputs.market, inputs.model
        state = VenueState(symbols=SYMBOLS, expiries={1: [], 2: []}, strikes={1: [], 2: []})
        state.listed = {1 << 26 | 1 << 16, 2 << 26}
        state.accounts = [
            AccountState("a", (Position(1 << 26 | 1 << 16, -(10**8)), Position(2 << 26, 10**9))),
            AccountState("b"),
        ]
        code = encode_model(model)
        state.models = {b"m" * 32: code}
        header = EpochHeader(5, market.time, 77, bytes(32), market.time + 60, b"m" * 32, bytes(32), root, 2)
        epoch = PostedEpoch(header, b"", encode_market(market), "0x", 80, frozenset(), 1)
        newest = replace(state, accounts=[], epochs=[epoch])
        monkeypatch.setattr(chain, "open_venue", lambda *_: Venue({None: newest, 77: state}))
        from marginproof.engine.epoch import compute_epoch

        return compute_epoch([a.positions for a in state.accounts], state.table(), market, model).root

    return make


def test_from_the_chain(run: Run, venue: Callable[[bytes], bytes], tmp_path: Path) -> None:
    root = venue(venue(bytes(32)))
    done = run("epoch", "compute", "--json")
    assert done.code == 0
    assert done.json["leafRoot"] == "0x" + root.hex()
    assert done.json["posted"] == {
        "round": 5,
        "blockNumber": 77,
        "leafRoot": "0x" + root.hex(),
        "leafCount": 2,
        "equal": True,
    }
    assert "posted     the same, in epoch 5" in run("epoch", "compute", "--round", 5).out
    assert run("epoch", "compute", "--round", 6).code == 2


def test_another_root_was_posted(run: Run, venue: Callable[[bytes], bytes], tmp_path: Path) -> None:
    root = venue(b"\1" * 32)
    done = run("epoch", "compute", "--out", tmp_path / "mine.npz", "--json")
    assert done.code == 5
    assert done.json["leafRoot"] == "0x" + root.hex()
    assert done.json["posted"]["equal"] is False
    assert (
        f"Epoch 5 was posted with root 0x{'01' * 32} over 2 accounts; from the chain it is 0x{root.hex()}"
        in done.err
    )
    assert (tmp_path / "mine.npz").exists()
