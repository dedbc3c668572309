"""Writing files so that a reader sees the old content or the new one, never a part of it."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from marginproof.errors import MarginproofError

_NEW_FILE_MODE = 0o644


def project_root() -> Path:
    """The folder that holds contracts/ and package.json: the checkout that this package is installed from.

    Raises MarginproofError when the package was copied elsewhere without them.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "contracts").is_dir() or not (root / "package.json").is_file():
        raise MarginproofError(
            f"No contracts/ and package.json in {root}.", "Run marginproof from a checkout of its repository."
        )
    return root


def write_bytes(path: Path | str, content: bytes) -> None:
    """Replace the file at `path` with `content` in one step; parent folders are made as needed.

    The content goes to a temporary file beside the target first. When anything fails, the target keeps what
    it had and the temporary file is removed. A symbolic link stays a link; an existing file keeps its
    permissions.
    """
    target = Path(path).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = target.stat().st_mode & 0o777 if target.exists() else _NEW_FILE_MODE
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
        _sync_folder(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself survive a power cut, where folders can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_text(path: Path | str, content: str) -> None:
    """Like `write_bytes`, for text in UTF-8 with line ends as given."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path | str, value: Any, *, sort_keys: bool = False) -> None:
    """Like `write_text`, for a JSON document indented by two spaces and ended by a newline.

    Raises TypeError or ValueError, before anything is written, for what JSON cannot hold, like NaN.
    """
    text = json.dumps(value, indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")
