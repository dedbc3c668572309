"""What `value` is given, looked at before anything is computed: kinds of numbers here, ranges by the specification.

Ranges alone are not enough for Python: a float rounds, and numpy's integers overflow silently where the specification's do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import (
    ExpiryMarket,
    MarketSnapshot,
    Settlement,
    UnderlyingMarket,
    check_market,
)
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, check_model
from marginproof.spec.model_fields import FIELDS
from marginproof.spec.scenario import MAX_GIVEN_VOL, Vols, require_live
from marginproof.spec.svi import Svi

from .columns import described, is_whole, require_kind, require_whole

_NUMBERS: Final[dict[type, tuple[str, ...]]] = {
    MarketSnapshot: ("time", "settlement_token_e8"),
    UnderlyingMarket: ("underlying", "spot_e8", "perpetual_e8", "confidence_wad", "funding_e8"),
    Settlement: ("expiry", "price_e8"),
    ExpiryMarket: ("expiry", "forward_e8", "rate_wad", "confidence_wad"),
    Svi: ("a", "b", "rho", "m", "sigma"),
    ModelSection: ("underlying", *(field.attribute for field in FIELDS)),
    Scenario: ("spot_wad", "weight_wad", "amount_wad"),
}
_PICK: Final = {kind: attrgetter(*names) for kind, names in _NUMBERS.items()}
_WHOLE: Final = {int}


def _require_numbers(place: str, thing: Any, kind: type) -> None:
    require_kind(place, thing, kind)
    values = _PICK[kind](thing)
    if {*map(type, values)} != _WHOLE:
        for name, value in zip(_NUMBERS[kind], values, strict=True):
            if not is_whole(value):
                raise SpecError("BadField", field=f"{place}.{name}", wanted="int", found=described(value))


def _parts(place: str, things: object, kind: type) -> list[tuple[str, Any]]:
    if not isinstance(things, tuple):
        raise SpecError("BadField", field=place, wanted="tuple", found=described(things))
    named = [(f"{place}[{i}]", thing) for i, thing in enumerate(things)]
    for name, thing in named:
        _require_numbers(name, thing, kind)
    return named


def require_market(market: MarketSnapshot) -> None:
    """Refuse a market that is not the specification's. Errors: `BadField(field, wanted, found)`, then as `check_market`."""
    _require_numbers("market", market, MarketSnapshot)
    for place, section in _parts("market.underlyings", market.underlyings, UnderlyingMarket):
        _parts(f"{place}.settlements", section.settlements, Settlement)
        for name, quote in _parts(f"{place}.expiries", section.expiries, ExpiryMarket):
            _require_numbers(f"{name}.svi", quote.svi, Svi)
    check_market(market)


@lru_cache(maxsize=16)
def _check_model(model: Model) -> None:
    """A model stays the same for many markets, and its ranges are many. Equal models of whole numbers are the same model."""
    check_model(model)


def require_model(model: Model) -> None:
    """Refuse a model that is not the specification's. Errors: `BadField(field, wanted, found)`, then as `check_model`."""
    require_kind("model", model, Model)
    for place, section in _parts("model.sections", model.sections, ModelSection):
        for name, scenario in _parts(f"{place}.scenarios", section.scenarios, Scenario):
            require_kind(f"{name}.kind", scenario.kind, VolKind)
    _check_model(model)


def require_vols(vols: Vols, market: MarketSnapshot, listed: Iterable[Instrument] | None = None) -> None:
    """Refuse volatilities per strike that are none, or of anything but calls of live expiries; with `listed`, of strikes that have no
    option there.

    Errors: `BadVol(instrument, wanted, found)`, `OutOfRange(field, value, low, high)`, `MissingUnderlying(underlying)`,
    `MissingExpiry(expiry)`.
    """
    if not isinstance(vols, Mapping):
        raise SpecError("BadVol", instrument="all", wanted="a mapping from calls", found=described(vols))
    strikes = None
    if listed is not None:
        strikes = {(i.underlying, i.expiry, i.strike_e8) for i in listed if i.kind.is_option}
    for call, vol in vols.items():
        name = str(call)
        if getattr(call, "kind", None) is not Kind.CALL or not isinstance(call, Instrument):
            raise SpecError("BadVol", instrument=name, wanted="a call", found=described(call))
        place = (call.underlying, call.expiry, call.strike_e8)
        if not all(map(is_whole, place)):
            raise SpecError("BadVol", instrument=name, wanted="a call of whole numbers", found=str(place))
        require_live(market.underlying(call.underlying), call.expiry)
        if strikes is not None and place not in strikes:
            wanted = "the strike of an option among the instruments"
            raise SpecError("BadVol", instrument=name, wanted=wanted, found=f"strike {call.strike_e8}")
        if not is_whole(vol):
            raise SpecError("BadVol", instrument=name, wanted="int, WAD", found=described(vol))
        require_whole("vol", vol, 0, MAX_GIVEN_VOL)
