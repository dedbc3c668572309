"""A failing case as a program that needs no draws: run it to see both answers.

PYTHONPATH=tests .venv/bin/python build/fuzz/solidity-cells-7-12.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from marginproof.files import project_root, write_text
from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.market import MarketSnapshot, decode_market, encode_market
from marginproof.spec.model import Model, decode_model, encode_model
from marginproof.spec.portfolio import Position

from .draws import World
from .engine import engine_figures, engine_rows, engine_values
from .peers import PEERS


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a case was drawn."""

    campaign: str
    seed: int
    batch: int

    @property
    def command(self) -> str:
        """The command that repeats the batch."""
        return f'make fuzz SEED={self.seed} ARGS="--campaign {self.campaign} --batch {self.batch}"'

    @property
    def path(self) -> Path:
        """The file for the program."""
        return project_root() / "build" / "fuzz" / f"{self.campaign}-{self.seed}-{self.batch}.py"


def program(
    peer: str,
    drawn: World,
    ids: tuple[int, ...],
    held: tuple[Position, ...] | None,
    about: str,
    again: Origin | None,
) -> str:
    """The program for one instrument, or for one account, with only the underlyings that it needs; written to its file when drawn."""
    used = {drawn.instrument_of[number].underlying for number in ids} or {drawn.model.sections[0].underlying}
    market = MarketSnapshot(
        drawn.market.time,
        drawn.market.settlement_token_e8,
        tuple(part for part in drawn.market.underlyings if part.underlying in used),
    )
    model = Model(tuple(section for section in drawn.model.sections if section.underlying in used))
    lines = [
        *(f"# {line}" for line in about.splitlines()),
        *([f"# the whole batch again: {again.command}", _alone(again)] if again else []),
        "from differential.replay import replay",
        "",
        "replay(",
        f"    peer={peer!r},",
        f'    model="{encode_model(model).hex()}",',
        f'    market="{encode_market(market).hex()}",',
        f"    expiries={ {u: drawn.table.expiries[u] for u in sorted(used)} },",
        f"    strikes={ {u: drawn.table.strikes[u] for u in sorted(used)} },",
        f"    ids={ids},",
        *([] if held is None else [f"    positions={[tuple(p) for p in held]},"]),
        ")",
        "",
    ]
    text = "\n".join(lines)
    if again:
        again.path.parent.mkdir(parents=True, exist_ok=True)
        write_text(again.path, text)
    return text


def _alone(again: Origin) -> str:
    path = again.path.relative_to(project_root()).as_posix()
    return f"# this case alone: PYTHONPATH=tests .venv/bin/python {path}"


def replay(
    peer: str,
    model: str,
    market: str,
    expiries: dict[int, tuple[int, ...]],
    strikes: dict[int, tuple[int, ...]],
    ids: tuple[int, ...],
    positions: Sequence[tuple[int, int]] | None = None,
) -> bool:
    """Print the engine's answer and a peer's, the instrument's row or the account's figures; whether they agree."""
    drawn = World(
        decode_market(bytes.fromhex(market)),
        decode_model(bytes.fromhex(model)),
        InstrumentTable(expiries, strikes),
        ids,
    )
    ours: object
    theirs: object
    if positions is None:
        ours, [theirs] = engine_rows(drawn), PEERS[peer].rows([drawn])
    else:
        books = [tuple(Position(*p) for p in positions)]
        ours, [theirs] = engine_figures(books, engine_values(drawn)), PEERS[peer].figures([(drawn, books)])
    print(f"engine: {ours}\n{peer}: {theirs}\n{'equal' if ours == theirs else 'different'}")
    return ours == theirs
