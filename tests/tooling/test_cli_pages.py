"""How docs/cli.md is read, and how outputs are cut and compared. No command is run."""

from __future__ import annotations

import pytest
from scripts import cli_pages
from scripts.pages.output import GAS_BY_CHANCE, merged, shown
from scripts.pages.page import Command, File, Key, steps, with_outputs

PAGE = """# A page

Some words about `other.json`:
with more words after it.

```json
{"not": "a file"}
```

The story's `plan.json`:

```json
{
  "a": 1
}
```

```text
not a transcript
$ never run
```

```text
# key 3
$ first --option
one

two

$ second
# key 12
$ third
```
"""


def test_files_keys_and_commands_come_in_order_with_their_outputs() -> None:
    found = steps(PAGE)
    assert [item if not isinstance(item, Command) else item.text for item in found] == [
        File("plan.json", '{\n  "a": 1\n}\n'),
        Key(3),
        "first --option",
        "second",
        Key(12),
        "third",
    ]
    lines = PAGE.splitlines()
    outputs = [lines[item.start : item.end] for item in found if isinstance(item, Command)]
    assert outputs == [["one", "", "two"], [], []]


def test_a_page_with_its_own_outputs_is_the_same_page() -> None:
    lines = PAGE.splitlines()
    commands = [item for item in steps(PAGE) if isinstance(item, Command)]
    assert with_outputs(PAGE, [(item, lines[item.start : item.end]) for item in commands]) == PAGE
    changed = with_outputs(PAGE, [(item, [f"of {item.text}", "new"]) for item in commands])
    assert "$ first --option\nof first --option\nnew\n\n$ second\nof second\nnew\n# key 12" in changed
    assert changed.endswith("$ third\nof third\nnew\n```\n")


def test_a_difference_is_shown_as_one_between_page_and_run() -> None:
    first = next(item for item in steps(PAGE) if isinstance(item, Command))
    assert cli_pages.differences(PAGE, [(first, ["one", "", "two"])]) == ""
    shown_lines = cli_pages.differences(PAGE, [(first, ["one", "", "three"])]).splitlines()
    assert [line for line in shown_lines[2:] if line[0] in "+-"] == ["-two", "+three"]


def test_the_page_of_the_commands_tells_one_story() -> None:
    found = steps(cli_pages.PAGE.read_text(encoding="utf-8"))
    assert {item.name for item in found if isinstance(item, File)} == {
        "portfolio.json",
        "market.json",
        "plan.json",
    }
    commands = [item.text for item in found if isinstance(item, Command)]
    order = [
        "testing chain",
        "deploy",
        "attester serve",
        "keeper once",
        "trade settle",
        "liquidator",
        "audit",
    ]
    first = [
        next(i for i, text in enumerate(commands) if text.startswith(f"marginproof {name}")) for name in order
    ]
    assert first == sorted(first)


OUTPUT = ["Report 12", "", " 1  up   10", " 2  up   20", " 3  down 30", " 4  down 44", "sum 104", "end"]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (["anything"], OUTPUT),
        (["Report 11", "..."], ["Report 12", "..."]),
        (["...", "sum 99", "end"], ["...", "sum 104", "end"]),
        (
            ["Report 11", "...", " 3  down 31", "...", "end"],
            ["Report 12", "...", " 3  down 30", "...", "end"],
        ),
        (["Report 11", "", "...", " 4  down 40", "sum 99", "end"], ["Report 12", "", "...", *OUTPUT[5:]]),
        (["...", " 2  up   21", "..."], ["...", " 2  up   20", "..."]),
    ],
)
def test_an_output_is_cut_where_it_was_cut(before: list[str], now: list[str]) -> None:
    assert shown(before, OUTPUT) == now


def test_marks_stand_only_where_something_is_left_out() -> None:
    assert shown(["one", "...", "end"], ["one", "end"]) == ["one", "end"]
    assert shown(["one", "two", "...", "end"], ["Error"]) == ["Error"]


def test_chance_and_the_clock_are_no_difference() -> None:
    before = [
        "2026-11-20T11:37:44Z INFO marginproof.attester: serves",
        "Sold, until 2026-01-28 16:42:00 UTC, nonce 594. Wrote a.json.",
        "refused: OrderUsed(account=1, nonce=189).",
        "settled (374429 gas)",
        '  "nonce": "28",',
        "Summary after 49 s",
    ]
    now = [
        "2026-11-28T19:52:14Z INFO marginproof.attester: serves",
        "Sold, until 2026-01-28 16:41:59 UTC, nonce 7. Wrote a.json.",
        "refused: OrderUsed(account=1, nonce=7).",
        f"settled ({374429 + GAS_BY_CHANCE} gas)",
        '  "nonce": "7",',
        "Summary after 51.5 s",
    ]
    assert merged(before, now) == before


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("time 2026-01-28 14:41:50 UTC", "time 2026-01-28 14:41:51 UTC"),
        ("valid until 2026-01-29 03:41:50 UTC (live)", "valid until 2026-01-29 03:41:51 UTC (live)"),
        ("equity 60,400.745", "equity 60,400.74500001"),
        ("settled (374429 gas)", f"settled ({374429 - GAS_BY_CHANCE - 1} gas)"),
    ],
)
def test_figures_times_of_the_chain_and_gas_are_differences(before: str, now: str) -> None:
    assert merged(["kept", before], ["kept", now]) == ["kept", now]
