"""`marginproof model`: the shipped models, checking one's own, comparing two, publishing one on chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import DEFAULT_RPC, AsJson, DeploymentFile, Keystore, RoundFigures, Rpc

if TYPE_CHECKING:
    from rich.console import Console

    from marginproof.documents import ModelDocument, ModelEntry
    from marginproof.spec.model import Model

app = group("Margin models: list, show, check, compare, publish.")

ModelName = Annotated[
    str, typer.Argument(metavar="FILE|NAME", help="Model document, or a shipped model's name.")
]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the shipped models."""
    from marginproof.cli.console import emit, out, table
    from marginproof.models import list_presets, load_preset

    models = [(name, load_preset(name)) for name in list_presets()]
    if as_json:
        listed = [
            {
                "name": name,
                "date": model.date,
                "source": model.source,
                "scenarios": len(model.default.scenarios),
            }
            for name, model in models
        ]
        emit({"format": "marginproof/models@1", "models": listed})
        return
    rows = table("Shipped models", "name", "as of", "scenarios", "source", numbers=("scenarios",))
    for name, model in models:
        rows.add_row(name, model.date, str(len(model.default.scenarios)), model.source)
    out().print(rows)


@app.command("show")
def show(model: ModelName, as_json: AsJson = False) -> None:
    """Show a model: its groups of parameters and its scenarios."""
    from marginproof.cli.console import emit, out
    from marginproof.models import load_model

    document = load_model(model)
    if as_json:
        emit(document.model_dump(mode="json", exclude_none=True))
        return
    console = out()
    console.print(f"{document.name}, as of {document.date}. Source: {document.source}")
    if document.description:
        console.print(document.description)
    console.print()
    _show_entry(
        console, "every other underlying" if document.underlyings else "every underlying", document.default
    )
    for symbol, entry in document.underlyings.items():
        _show_entry(console, symbol, entry)


def _show_entry(console: Console, name: str, entry: ModelEntry) -> None:
    from marginproof.cli.console import table
    from marginproof.cli.numbers import wad
    from marginproof.documents.index_words import vol_words
    from marginproof.models.diff import groups

    console.print(f"For {name}:", soft_wrap=True)
    for path, words, values in groups(entry):
        console.print(f"  {path}, {words}: {values}", soft_wrap=True)
    rows = table("Scenarios", "#", "spot", "vol", "weight", numbers=("#", "spot", "weight"))
    for index, scenario in enumerate(entry.scenarios):
        vol = vol_words(scenario.spec()).removeprefix("vol ")
        rows.add_row(str(index), f"x {wad(scenario.spot_wad)}", vol, wad(scenario.weight_wad))
    console.print(rows)


@app.command("check")
def check(
    model: ModelName,
    symbols: Annotated[
        str, typer.Option("--symbols", help="Underlyings in the order of their ids, comma-separated.")
    ] = "BTC,ETH",
    as_json: AsJson = False,
) -> None:
    """Check a model as the contracts would, and give its hash for a venue with these underlyings."""
    from marginproof.cli.console import emit, say
    from marginproof.models import load_model
    from marginproof.spec.model import encode_model, model_hash

    document = load_model(model)
    rules = _rules(document, symbols)
    encoded, digest = encode_model(rules), "0x" + model_hash(rules).hex()
    scenarios = {symbol: len(document.entry(symbol).scenarios) for symbol in symbols.split(",")}
    if as_json:
        emit(
            {
                "format": "marginproof/model-check@1",
                "name": document.name,
                "hash": digest,
                "bytes": len(encoded),
                "scenarios": scenarios,
            }
        )
        return
    counts = ", ".join(f"{symbol} {count}" for symbol, count in scenarios.items())
    say(f"{document.name} is valid: {len(encoded)} bytes, scenarios: {counts}.")
    say(f"hash {digest}")


def _rules(document: ModelDocument, symbols: str) -> Model:
    from marginproof.documents import model_to_spec, symbol_table
    from marginproof.errors import InputError

    names = symbols.split(",")
    if len(set(names)) != len(names):
        raise InputError(f"--symbols: {symbols!r} names a symbol twice.")
    try:
        symbol_table(names)
    except InputError as error:
        raise InputError(f"--symbols: {error.message}") from None
    return model_to_spec(document, {symbol: index for index, symbol in enumerate(names, 1)})


@app.command("diff")
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Model document, or a shipped model's name.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The model to compare it with.")],
    book: Annotated[
        Path | None,
        typer.Option(
            "--book", metavar="FILE", help="Portfolio document: what the change does to its margin."
        ),
    ] = None,
    market: Annotated[
        str | None, typer.Option("--market", metavar="FILE|crash:N", help="Market for --book.")
    ] = None,
    round_figures: RoundFigures = False,
    as_json: AsJson = False,
) -> None:
    """Say in words what is different from model A to model B.

    With --book and --market, also what it does to a portfolio's margin. Ends with 0 whether or not there are differences.
    """
    from marginproof.cli.model_diff import ModelComparison

    comparison = ModelComparison.of(first, second, book, market, round_figures=round_figures)
    if as_json:
        from marginproof.cli.console import emit

        emit(comparison.json())
    else:
        from marginproof.cli.console import out

        comparison.show(out())


@app.command("publish")
def publish(
    model: ModelName,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Publish a model on chain; it becomes the venue's current one."""
    from marginproof.cli.chain import open_signed
    from marginproof.cli.console import emit, say
    from marginproof.documents import model_to_spec
    from marginproof.models import load_model
    from marginproof.spec.model import encode_model, model_hash

    document = load_model(model)
    chain, sender = open_signed(rpc, deployment, keystore)
    state = chain.state()
    rules = model_to_spec(document, state.ids_by_symbol())
    digest = model_hash(rules)
    published = digest != state.current_model
    if published:
        chain.venue.send(sender, "ModelRegistry", "publish", encode_model(rules))
    if as_json:
        emit({"name": document.name, "hash": "0x" + digest.hex(), "published": published})
    elif published:
        say(
            f"{document.name} is now the venue's model: hash 0x{digest.hex()}. Epochs use it from the next one on."
        )
    else:
        say(f"{document.name} is the venue's model already: hash 0x{digest.hex()}. Nothing was sent.")
