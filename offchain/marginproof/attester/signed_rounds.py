"""Which header was signed for which round, on disk: an attester never signs two headers for one round, restarts included."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import weakref
from pathlib import Path

from marginproof.errors import InputError, MarginproofError
from marginproof.files import write_json

NEWEST_ROUNDS = 200
log = logging.getLogger("marginproof.attester")


class EquivocationError(MarginproofError):
    """Asked to sign a second, different header for a round."""


class SignedRounds:
    """A small file: round -> digest. Written before a signature leaves the process; one process at a time may hold it.

    Errors: InputError for a record that cannot be read, or that another process holds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digests: dict[str, str] = {}
        self._release = weakref.finalize(self, os.close, _locked(path))
        if not path.exists():
            log.warning("no record of signed rounds at %s: starting an empty one", path)
        else:
            try:
                self._digests = {
                    str(int(key)): str(value) for key, value in json.loads(path.read_text("utf-8")).items()
                }
            except (OSError, ValueError, AttributeError) as error:
                raise InputError(
                    f"The record of signed rounds {path} cannot be read: {error}.",
                    "Restore it from a copy: without it a round might be signed twice.",
                ) from error

    @property
    def last(self) -> int:
        """The newest round signed, -1 for none."""
        return max((int(key) for key in self._digests), default=-1)

    def newest(self) -> list[int]:
        """The newest rounds signed, at most NEWEST_ROUNDS, ascending."""
        return sorted(int(key) for key in self._digests)[-NEWEST_ROUNDS:]

    def record(self, round_number: int, digest: bytes) -> None:
        """Remember that this digest is signed for the round. Error: EquivocationError for another digest of the same round."""
        known = self._digests.get(str(round_number))
        if known is None:
            self._digests[str(round_number)] = digest.hex()
            write_json(self.path, self._digests)
        elif known != digest.hex():
            raise EquivocationError(
                f"Round {round_number} was already signed with another header (digest 0x{known})."
            )

    def close(self) -> None:
        """Let another process have the record."""
        self._release()


def _locked(path: Path) -> int:
    """A file descriptor that holds the lock as long as it is open."""
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"The record of signed rounds {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise InputError(
            f"Another process holds the record of signed rounds {path}.",
            "Run one attester per record and key.",
        ) from error
    return held
