"""JSON Schemas of the formats, generated from the models that check the files.

    python -m marginproof.documents.json_schema    writes them into the package's schemas folder

Decimal ranges cannot be said in a schema of strings: they are in the descriptions, the patterns give the
form.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ..files import write_text
from .base import Document
from .market_document import MarketDocument
from .model_document import ModelDocument
from .portfolio_document import PortfolioDocument
from .trades_document import TradesDocument
from .what_if_market import WhatIfMarketDocument

SCHEMA_FOLDER: Final = Path(__file__).resolve().parent / "schemas"
DOCUMENT_KINDS: Final[dict[str, type[Document]]] = {
    "market": MarketDocument,
    "market-what-if": WhatIfMarketDocument,
    "model": ModelDocument,
    "portfolio": PortfolioDocument,
    "trades": TradesDocument,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a format, by its key in `DOCUMENT_KINDS`."""
    version = str(DOCUMENT_KINDS[name].model_json_schema()["properties"]["format"]["const"]).rpartition("@")[
        2
    ]
    body = DOCUMENT_KINDS[name].model_json_schema(by_alias=True, mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"marginproof-{name}-{version}.schema.json",
        **body,
        "title": f"marginproof {name} document, version {version}",
    }


def schema_text(name: str) -> str:
    """The schema as the shipped file holds it."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def write_schemas() -> None:
    """Write all schemas into the package."""
    for name in DOCUMENT_KINDS:
        write_text(SCHEMA_FOLDER / f"{name}.schema.json", schema_text(name))


if __name__ == "__main__":
    write_schemas()
