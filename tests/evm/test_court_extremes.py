"""The court at the ends of every range: the largest account in the dearest market, under the greatest and the least model."""

from __future__ import annotations

import pytest
from scripts.vector_families.models import EXTREME, LOWEST, model_of
from scripts.vector_families.samples import EXTREME_MARKET, REGISTRY, all_ids

from marginproof.spec import limits
from marginproof.spec.instruments import Instrument
from marginproof.spec.margin import margin, value_table
from marginproof.spec.model import ModelSection

from .court import Court

_HALF = limits.MAX_POSITIONS // 2


def _held(quantity: int, alternate: bool) -> list[tuple[Instrument, int]]:
    ids = all_ids(1)[:_HALF] + all_ids(2)[:_HALF]
    return [
        (REGISTRY.resolve(id_), -quantity if alternate and i % 2 else quantity) for i, id_ in enumerate(ids)
    ]


@pytest.mark.parametrize("section", [EXTREME, LOWEST], ids=["greatest", "least"])
@pytest.mark.parametrize("alternate", [False, True], ids=["one side", "both sides"])
@pytest.mark.parametrize("quantity", [limits.MAX_QUANTITY, -limits.MAX_QUANTITY, 1, -1])
def test_attack_20_totals_at_extremes(section: ModelSection, alternate: bool, quantity: int) -> None:
    model = model_of(section, section)
    court = Court(2)
    held = _held(quantity, alternate)
    figures = margin(held, value_table(EXTREME_MARKET, model))
    found = court.recompute(court.publish(model), court.portfolio(held), EXTREME_MARKET)
    worst = b"".join(bytes((scan.underlying, scan.worst)) for scan in figures.scans)
    assert found == (figures.value, figures.spot_value, figures.initial, figures.maintenance, worst)
