"""Which header was signed for which round, on disk: an attester never signs two headers for one round, restarts included."""

from __future__ import annotations

import json
from pathlib import Path

from marginproof.errors import InputError, MarginproofError
from marginproof.files import write_json


class EquivocationError(MarginproofError):
    """Asked to sign a second, different header for a round."""


class SignedRounds:
    """A small file: round -> digest. Written before a signature leaves the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digests: dict[str, str] = {}
        if path.exists():
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
