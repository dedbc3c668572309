"""`marginproof margin`: one account from files, no chain needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.options import AsJson


def margin(
    model: Annotated[
        str, typer.Option("--model", metavar="FILE|NAME", help="Model document, or a shipped model's name.")
    ],
    market: Annotated[
        str, typer.Option("--market", metavar="FILE|crash:N", help="Market document, or a shipped one.")
    ],
    portfolio: Annotated[Path, typer.Option("--portfolio", metavar="FILE", help="Portfolio document.")],
    as_json: AsJson = False,
) -> None:
    """Margin one account from files."""
    from marginproof.cli.console import emit, out
    from marginproof.cli.figures import MarginReport
    from marginproof.cli.inputs import market_argument
    from marginproof.cli.numbers import moment
    from marginproof.documents import (
        load_portfolio,
        market_symbols,
        market_to_spec,
        model_to_spec,
        portfolio_to_spec,
    )
    from marginproof.engine.explain import explain
    from marginproof.engine.values import ValueTable
    from marginproof.models import load_model

    parameters = load_model(model)
    document = market_argument(market)
    symbols = market_symbols(document)
    cash, positions = portfolio_to_spec(load_portfolio(portfolio), symbols, document, origin=str(portfolio))
    values = ValueTable(market_to_spec(document, symbols), model_to_spec(parameters, symbols))
    report = MarginReport(explain(cash, positions, values), values, symbols)
    if as_json:
        head = {"format": "marginproof/margin@1", "model": parameters.name, "marketSource": document.source}
        emit(head | report.json())
        return
    console = out()
    console.print(f"Model {parameters.name}, market of {moment(document.time)}.\n")
    report.show(console)
