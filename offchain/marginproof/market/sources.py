"""Where an operator gets its market from: a folder of market documents, read anew each time it is asked."""

from __future__ import annotations

from pathlib import Path

from ..documents import MarketDocument, load_market
from ..errors import InputError


class MarketFolder:
    """The operator's own copy of the source: a folder of market documents (*.json), one per time."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder} to read market documents from.")
        self.folder = folder

    def documents(self) -> list[MarketDocument]:
        """All documents of the folder, oldest first. Errors: InputError naming the file that is wrong."""
        return sorted(
            (load_market(path) for path in sorted(self.folder.glob("*.json"))), key=lambda item: item.time
        )

    def newest(self, not_after: int) -> MarketDocument:
        """The newest document whose time is not after `not_after` (unix seconds). Error: InputError when there is none."""
        known = [document for document in self.documents() if document.time <= not_after]
        if not known:
            raise InputError(f"No market document in {self.folder} is for time {not_after} or earlier.")
        return known[-1]

    def at(self, time: int) -> MarketDocument:
        """The document for exactly this time. Error: InputError naming the newest earlier one."""
        document = self.newest(time)
        if document.time != time:
            raise InputError(
                f"{self.folder} has no market for time {time}; the newest before it is for {document.time}."
            )
        return document
