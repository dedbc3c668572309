"""docs/slither.md and slither's report are compared finding by finding."""

from __future__ import annotations

from typing import Any

from scripts import slither

from marginproof.files import project_root

PAGE = """
| `unused-return` | `Vault.pay` | 1 | Why. |
| `shadowing-local` | `Vault.pay.amount` | 2 | Why. |
"""


def element(*names: str) -> dict[str, Any]:
    """What slither says of a contract's function, and of a variable in it."""
    kinds = ("contract", "function", "variable")
    result: dict[str, Any] = {}
    for kind, name in zip(kinds, names, strict=False):
        parent = {"parent": result} if result else {}
        result = {"type": kind, "name": name, "type_specific_fields": parent}
    return result


def report(*findings: tuple[str, tuple[str, ...]]) -> dict[str, Any]:
    """A report of these findings: detector, and names from the contract down."""
    return {
        "results": {
            "detectors": [
                {"check": check, "elements": [element(*names)], "description": f"{check} in {names[-1]}"}
                for check, names in findings
            ]
        }
    }


KNOWN = (
    ("unused-return", ("Vault", "pay")),
    ("shadowing-local", ("Vault", "pay", "amount")),
    ("shadowing-local", ("Vault", "pay", "amount")),
)


def test_nothing_is_said_where_the_page_explains_everything() -> None:
    assert slither.compare(report(*KNOWN), PAGE) == []


def test_a_new_finding_is_named_with_its_description() -> None:
    new = ("reentrancy-eth", ("Vault", "pay"))
    assert slither.compare(report(*KNOWN, new), PAGE) == [
        "reentrancy-eth Vault.pay: found 1, docs/slither.md explains 0",
        "reentrancy-eth in pay",
    ]


def test_one_more_of_a_known_kind_is_a_new_finding() -> None:
    problems = slither.compare(report(*KNOWN, KNOWN[0]), PAGE)
    assert problems[0] == "unused-return Vault.pay: found 2, docs/slither.md explains 1"


def test_a_row_that_is_no_longer_found_has_to_go() -> None:
    assert slither.compare(report(*KNOWN[:2]), PAGE) == [
        "shadowing-local Vault.pay.amount: docs/slither.md explains 2, found 1: correct the page"
    ]


def test_every_row_of_the_page_is_read() -> None:
    page = (project_root() / "docs" / "slither.md").read_text(encoding="utf-8")
    table = page.split("| detector | where |")[1]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows
    assert len(slither.explained(page)) == len(rows)
