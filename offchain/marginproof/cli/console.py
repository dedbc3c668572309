"""Where the command talks: results on stdout, everything else on stderr, and an exit code for every kind of end.

0        done
1 .. 6   an error of `marginproof.errors`, each kind with its own code; 2 also for wrong options
70       a bug of ours: the traceback goes to a file, not to the terminal
130      interrupted by Ctrl-C
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from marginproof.errors import InputError, MarginproofError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_BUG: Final = 70
EXIT_INTERRUPTED: Final = 130
_PIPED_WIDTH: Final = 140


def out() -> Console:
    """The console for results, made anew so that it follows a replaced stdout."""
    return _console(stderr=False)


def err() -> Console:
    """The console for messages and progress."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def say(text: str) -> None:
    """One line of result for a person, never folded: what is printed can be copied."""
    out().print(text, soft_wrap=True)


def note(text: str) -> None:
    """One line of remark for a person, on stderr."""
    err().print(text, soft_wrap=True)


def emit(value: Any) -> None:
    """A result for a program: one JSON document, alone on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def table(title: str, *columns: str, numbers: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns in `numbers` are aligned to the right; those and the ones in `whole` are never folded."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        side: Literal["left", "right"] = "right" if column in numbers else "left"
        made.add_column(column, justify=side, overflow="fold", no_wrap=column in (*numbers, *whole))
    return made


def require_target(option: str, path: Path) -> None:
    """Refuse a file that could not be written, before any work is done for it. Errors: InputError naming the folder."""
    if path == Path():
        raise InputError(f"{option}: the path is empty or the current folder; name a file.")
    if path.is_dir():
        raise InputError(f"{option}: {path} is a folder, not a file.")
    folder = path.parent
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist; make this folder first"
        raise InputError(f"{option}: {path} cannot be written: {folder} {what}.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{option}: {path} cannot be written: no permission to write in {folder}.")


def save(write: Callable[[Path], object], path: Path, *, parents: bool = False) -> None:
    """Write a result file; `parents` for paths of our own, whose folders are made. Errors: InputError naming the path."""
    if not parents:
        require_target("--output", path)
    try:
        write(path)
    except OSError as error:
        raise InputError(f"--output: {path} cannot be written ({error.strerror}).") from error


def guarded(command: Callable[[], object]) -> int:
    """Run a command to its exit code; whatever goes wrong becomes one plain message."""
    try:
        return _ended(command)
    except BrokenPipeError:
        # The reader has gone; without this the interpreter would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def _ended(command: Callable[[], object]) -> int:
    from marginproof.spec.errors import SpecError

    try:
        command()
        sys.stdout.flush()
    except SystemExit as end:
        sys.stdout.flush()
        code = end.code if isinstance(end.code, int) else EXIT_FAILED
        if code == EXIT_INTERRUPTED:
            _tell("Interrupted.")
        return code if end.code is not None else 0
    except KeyboardInterrupt:
        _tell("Interrupted.")
        return EXIT_INTERRUPTED
    except MarginproofError as error:
        return _refused(error)
    except SpecError as error:
        from marginproof.cli.words import spec_sentence

        _tell(f"Error: {spec_sentence(error)}")
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        _tell(f"Error:{where} {error.strerror or error}.")
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback at the terminal
        _tell(
            f"This is a bug in marginproof ({type(error).__name__}). Please report it with {_keep_traceback()}."
        )
        return EXIT_BUG
    return 0


def _refused(error: MarginproofError) -> int:
    from marginproof.cli.words import in_dollars, refusal_hint

    _tell(f"Error: {in_dollars(error.message)}")
    hint = error.hint or refusal_hint(error.message)
    if hint:
        _tell(hint)
    return error.exit_code


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


def _keep_traceback() -> str:
    """Write the current traceback to a file under build/ and give its path, or say that it could not be kept."""
    from marginproof.files import project_root, write_text

    name = f"crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    text = f"arguments: {sys.argv[1:]}\n\n{traceback.format_exc()}"
    folders: tuple[Callable[[], Path], ...] = (
        lambda: project_root() / "build",
        partial(Path, tempfile.gettempdir()),
    )
    for folder in folders:
        try:
            path = folder() / name
            write_text(path, text)
        except (OSError, MarginproofError):
            continue
        return str(path)
    return "the command you gave (its traceback could not be written)"
