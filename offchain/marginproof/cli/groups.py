"""How every group of subcommands is made."""

from __future__ import annotations

import typer


def group(text: str) -> typer.Typer:
    """A group that shows its help when no subcommand is given."""
    return typer.Typer(
        help=text,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
