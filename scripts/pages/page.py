"""A page of commands: which files it gives the reader, which commands it prints, and what they printed.

A fenced `text` block that starts with `$ COMMAND` or `# key N` is a transcript: each `$` line is followed by its output, and `# key N` says
whose key what follows uses. A fenced `json` block after a line that ends in `` `NAME.json`: `` is a file of the reader's. Everything else
is prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_KEY: Final = re.compile(r"# key (\d+)")
_FILE: Final = re.compile(r"`([\w.-]+\.json)`:$")
_PROMPT: Final = "$ "
_FENCE: Final = "```"


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page shows and its commands read."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Key:
    """From here on commands are given with the development chain's key of this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command as printed. Its output is what the page has in the lines from `start`, counted from 0, to before `end`."""

    text: str
    start: int
    end: int


Step = File | Key | Command


def steps(page: str) -> list[Step]:
    """What a reader of the page does, in order."""
    lines = page.splitlines()
    found: list[Step] = []
    opening = None
    for number, line in enumerate(lines):
        if not line.startswith(_FENCE):
            continue
        if opening is None:
            opening = number
            continue
        kind = lines[opening].removeprefix(_FENCE)
        name = _FILE.search(_line_before(lines, opening))
        if kind == "json" and name:
            found.append(File(name[1], "\n".join(lines[opening + 1 : number]) + "\n"))
        elif kind == "text":
            found += _transcript(lines, opening + 1, number)
        opening = None
    return found


def with_outputs(page: str, outputs: Sequence[tuple[Command, Sequence[str]]]) -> str:
    """The page with other lines below these commands."""
    lines = page.splitlines()
    for command, output in sorted(outputs, key=lambda item: item[0].start, reverse=True):
        lines[command.start : command.end] = output
    return "\n".join(lines) + "\n"


def _line_before(lines: Sequence[str], number: int) -> str:
    return next((line for line in reversed(lines[:number]) if line), "")


def _transcript(lines: Sequence[str], start: int, end: int) -> list[Step]:
    if start == end or not (lines[start].startswith(_PROMPT) or _KEY.fullmatch(lines[start])):
        return []
    heads = [
        number
        for number in range(start, end)
        if lines[number].startswith(_PROMPT) or _KEY.fullmatch(lines[number])
    ]
    found: list[Step] = []
    for number, following in zip(heads, [*heads[1:], end], strict=True):
        key = _KEY.fullmatch(lines[number])
        if key:
            found.append(Key(int(key[1])))
            continue
        while not lines[following - 1]:
            following -= 1
        found.append(Command(lines[number].removeprefix(_PROMPT), number + 1, following))
    return found
