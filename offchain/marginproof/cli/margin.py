"""`marginproof margin`: one account from files, no chain needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.options import AsJson, RoundFigures

if TYPE_CHECKING:
    from marginproof.cli.file_account import FileAccount

MarketOption = Annotated[
    str, typer.Option("--market", metavar="FILE|crash:N", help="Market document, or a shipped one.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a parameter of the model for this run, as basis.base=0.6. May be repeated.",
    ),
]


def margin(
    model: Annotated[
        str, typer.Option("--model", metavar="FILE|NAME", help="Model document, or a shipped model's name.")
    ],
    market: MarketOption,
    portfolio: Annotated[Path, typer.Option("--portfolio", metavar="FILE", help="Portfolio document.")],
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="FILE|NAME=QUANTITY[@PRICE]",
            help="What if: a trade on top, or a file of trades. May be repeated.",
        ),
    ] = None,
    changes: SetOption = None,
    round_figures: RoundFigures = False,
    as_json: AsJson = False,
) -> None:
    """Margin one account from files.

    The market file may give volatilities per strike. With --add: margin before and after, and the trades' own share.
    """
    from marginproof.cli.added_trades import Added, added_trades
    from marginproof.cli.console import emit, note, out
    from marginproof.cli.file_account import FileAccount
    from marginproof.cli.numbers import moment

    account = FileAccount.load(model, market, portfolio, changes or [], round_figures=round_figures)
    added = added_trades(add, account) if add else None
    for sentence in account.remarks():
        note(sentence)
    report = account.report()
    if as_json:
        emit(_head(account) | report.json() | (added.json() if isinstance(added, Added) else {}))
        return
    console = out()
    changed = f" with {', '.join(account.changes)}" if account.changes else ""
    console.print(
        f"Model {account.model.name}{changed}, market of {moment(account.market.time)}.\n", soft_wrap=True
    )
    if added is None:
        report.show(console)
    else:
        added.show(console)


def _head(account: FileAccount) -> dict[str, object]:
    return {
        "format": "marginproof/margin@2",
        "model": account.model.name,
        "changes": account.changes,
        "marketSource": account.market.source,
        "rounded": account.rounded(),
    }
