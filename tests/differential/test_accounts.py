"""Whole accounts: the specification's margin against the court's, over all scenarios and under chosen ones."""

from __future__ import annotations

from random import Random

from evm.court import Court
from marginproof.spec.instruments import Instrument
from marginproof.spec.limits import MAX_POSITIONS
from marginproof.spec.margin import Margin, UnderlyingScan, margin, requirement, value_table

from .draws import World, instrument, quantity, world
from .seeding import scaled

ACCOUNTS = 300
ACCOUNTS_PER_WORLD = 10
SCENARIOS = 12


def positions(rng: Random, drawn: World) -> list[tuple[Instrument, int]]:
    """A book: none, a few or the most allowed."""
    wanted = rng.choice((0, 1, 2, 5, 10, 10, 25, 60, MAX_POSITIONS))
    instruments = {instrument(rng, drawn) for _ in range(wanted)}
    return [(held, quantity(rng)) for held in sorted(instruments)]


def worst(scan: UnderlyingScan) -> bytes:
    """One choice, two bytes."""
    return bytes((scan.underlying, scan.worst))


def figures(result: Margin) -> tuple[int, int, int, int, bytes]:
    """What the court returns for it."""
    choices = b"".join(worst(scan) for scan in result.scans)
    return result.value, result.spot_value, result.initial, result.maintenance, choices


def under(result: Margin, drawn: World, choices: bytes) -> tuple[int, int, int, int, bytes]:
    """What the court returns under chosen scenarios."""
    chosen = [max(0, scan.losses[choices[2 * i + 1]]) for i, scan in enumerate(result.scans)]
    sections = [drawn.model.section(scan.underlying) for scan in result.scans]
    initial = requirement([(s.initial_factor_wad, c) for s, c in zip(sections, chosen, strict=True)])
    maintenance = requirement([(s.maintenance_factor_wad, c) for s, c in zip(sections, chosen, strict=True)])
    return result.value, result.spot_value, initial, maintenance, choices


def test_whole_accounts(rng: Random) -> None:
    wanted, compared, ties = scaled(ACCOUNTS), 0, 0
    while compared < wanted:
        court = Court(underlyings=3)
        ids = rng.choice(((1,), (2,), (1, 2), (1, 2, 3)))
        drawn = world(rng, ids, rng.choice((1, SCENARIOS, SCENARIOS)), 10)
        model_hash, values = court.publish(drawn.model), value_table(drawn.market, drawn.model)
        for _ in range(ACCOUNTS_PER_WORLD):
            book = positions(rng, drawn)
            expected, packed = margin(book, drawn.model, values), court.portfolio(book)
            about = f"{drawn} {book}"
            assert court.recompute(model_hash, packed, drawn.market) == figures(expected), about
            choices = b"".join(bytes((s.underlying, rng.randrange(len(s.losses)))) for s in expected.scans)
            assert court.reprice(model_hash, packed, drawn.market, choices) == under(
                expected, drawn, choices
            ), about
            for scan in expected.scans:
                assert court.losses(model_hash, packed, drawn.market, scan.underlying) == list(scan.losses), (
                    about
                )
                ties += scan.losses.count(scan.losses[scan.worst]) > 1
            compared += 1
    print(f"{compared} accounts compared, {ties} ties for the worst scenario")
    assert compared >= wanted
