"""The contracts as a user of ape meets them: deployed by ape, on ape's own test chain. Run with `ape test`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ape
import pytest

from marginproof.protocol.compiler import load_artifacts
from marginproof.protocol.creation import created_at

UNITS = 10**6  # the settlement token has 6 decimals
E8 = 10**8
BOND = 10_000 * 10**6
WAD = 10**18
POLICY = (0, 0, 0, 0, 0)


@pytest.fixture(scope="session", autouse=True)
def compiled(project: Any) -> None:
    """Everything in one run: one by one, as they are asked for, takes several times as long."""
    project.load_contracts()


@pytest.fixture
def venue(project: Any, accounts: Any) -> SimpleNamespace:
    """Every contract, connected; accounts[0] is the admin, accounts[1..3] attest."""
    admin = accounts[0]
    attesters = sorted(accounts[1:4], key=lambda account: int(account.address, 16))
    token = project.TestToken.deploy("Test dollar", "TUSD", 6, sender=admin)
    instruments = project.InstrumentRegistry.deploy(admin, sender=admin)
    models = project.ModelRegistry.deploy(admin, sender=admin)
    attester_set = project.AttesterSet.deploy(
        admin, token, BOND, E8, 2, (60, 60, 60), attesters, sender=admin
    )
    token.mint(admin, 3 * BOND, sender=admin)
    token.approve(attester_set, 3 * BOND, sender=admin)
    for attester in attesters:
        attester_set.join(attester, sender=admin)
    guard = project.PriceGuard.deploy(admin, sender=admin)
    bounds = project.MarketBounds.deploy(admin, sender=admin)
    vault_address = created_at(admin.address, admin.nonce + 2)
    parts = (attester_set, models, instruments, guard, bounds, vault_address)
    epochs = project.EpochRegistry.deploy(admin, parts, 3600, 1, 86_400, POLICY, sender=admin)
    court = project.MarginCourt.deploy(instruments, models, epochs, sender=admin)
    vault = project.MarginVault.deploy(admin, instruments, epochs, court, 3600, token, sender=admin)
    house = project.LiquidationHouse.deploy(vault, epochs, court, WAD // 20, WAD // 2, E8, sender=admin)
    vault.connect(house, sender=admin)
    return SimpleNamespace(admin=admin, token=token, attester_set=attester_set, vault=vault, house=house)


@pytest.fixture
def trader(venue: SimpleNamespace, accounts: Any) -> SimpleNamespace:
    """Owner of an open account with 1,000 tokens deposited and 500 more in hand."""
    owner = accounts[5]
    receipt = venue.vault.openAccount(owner, sender=owner)
    (opened,) = receipt.decode_logs(venue.vault.AccountOpened)
    account = opened.account
    venue.token.mint(owner, 1_500 * UNITS, sender=venue.admin)
    venue.token.approve(venue.vault, 1_000 * UNITS, sender=owner)
    venue.vault.depositCash(account, 1_000 * UNITS, sender=owner)
    return SimpleNamespace(owner=owner, account=account)


def test_deposit_becomes_cash_in_e8(venue: SimpleNamespace, trader: SimpleNamespace) -> None:
    assert venue.vault.ownerOf(trader.account) == trader.owner
    assert venue.vault.cash(trader.account) == 1_000 * E8
    assert venue.token.balanceOf(venue.vault) == 1_000 * UNITS


def test_account_without_positions_withdraws_all_but_no_more(
    venue: SimpleNamespace, trader: SimpleNamespace
) -> None:
    with ape.reverts(venue.vault.WithdrawalAboveAllowed):
        venue.vault.withdrawUnencumbered(trader.account, 1_000 * UNITS + 1, trader.owner, sender=trader.owner)
    venue.vault.withdrawUnencumbered(trader.account, 1_000 * UNITS, trader.owner, sender=trader.owner)
    assert venue.vault.cash(trader.account) == 0
    assert venue.token.balanceOf(trader.owner) == 1_500 * UNITS


def test_stranger_takes_nothing(venue: SimpleNamespace, trader: SimpleNamespace, accounts: Any) -> None:
    with ape.reverts(venue.vault.NotOwner):
        venue.vault.withdrawUnencumbered(trader.account, 1, accounts[6], sender=accounts[6])
    assert venue.vault.cash(trader.account) == 1_000 * E8


def test_wiring_is_for_good(venue: SimpleNamespace) -> None:
    with ape.reverts(venue.vault.AlreadyConnected):
        venue.vault.connect(venue.admin, sender=venue.admin)
    assert venue.vault.house() == venue.house


def test_the_admin_alone_sets_the_threshold(venue: SimpleNamespace, accounts: Any) -> None:
    assert venue.attester_set.threshold() == 2
    assert venue.attester_set.isAttester(accounts[1])
    assert venue.token.balanceOf(venue.attester_set) == 3 * BOND
    with ape.reverts(venue.attester_set.AccessControlUnauthorizedAccount):
        venue.attester_set.setThreshold(1, sender=accounts[7])
    venue.attester_set.setThreshold(1, sender=venue.admin)
    assert venue.attester_set.threshold() == 1


@pytest.mark.parametrize("name", ["MarginVault", "EpochRegistry", "MarginCourt"])
def test_ape_and_the_product_compile_to_one_interface(project: Any, name: str) -> None:
    def selectors(abi: list[dict[str, Any]]) -> set[tuple[str, str, tuple[str, ...]]]:
        return {
            (item["type"], item.get("name", ""), tuple(part["type"] for part in item.get("inputs", [])))
            for item in abi
        }

    by_ape = [entry.model_dump() for entry in getattr(project, name).contract_type.abi]
    assert selectors(by_ape) == selectors(load_artifacts()[name].abi)
