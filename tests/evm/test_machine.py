"""The machine itself: what a first touch costs."""

from __future__ import annotations

from .machine import ADMIN, Machine

COLD_SLOT, WARM_SLOT = 2_100, 100


def test_a_cold_machine_has_every_slot_and_account_cold() -> None:
    machine = Machine()
    registry = machine.deploy("InstrumentRegistry", ADMIN)
    registry.transact("grantRole", registry.call("LISTER_ROLE"), ADMIN)
    for symbol in ("BTC", "ETH"):
        registry.transact("addUnderlying", symbol)
    cold = machine.cold(registry)
    for name in ("termsVersion", "underlyingCount"):
        value = registry.call(name)
        for _ in range(2):
            assert cold.call(name) == value
            assert cold.gas == registry.gas + COLD_SLOT - WARM_SLOT
