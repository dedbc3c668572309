"""The page that documents the formats: its examples are accepted, its error example is what a user gets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from marginproof.documents import Document, parse_document
from marginproof.documents.json_schema import DOCUMENT_KINDS
from marginproof.errors import InputError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def kind(example: str) -> type[Document]:
    name = str(json.loads(example)["format"])
    return DOCUMENT_KINDS[name.removeprefix("marginproof/").removesuffix("@1")]


def test_there_is_one_example_of_each_format() -> None:
    assert sorted(kind(example).__name__ for example in EXAMPLES) == [
        "MarketDocument",
        "ModelDocument",
        "PortfolioDocument",
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_accepted(example: str) -> None:
    parse_document(kind(example), example, "example")


def test_the_error_example_is_real() -> None:
    broken = EXAMPLES[0].replace('"89337.52"', "89337.52").replace('"-0.3"', '"1.2"')
    with pytest.raises(InputError) as caught:
        parse_document(kind(broken), broken, "market.json")
    assert f"```text\n{caught.value}\n```" in PAGE
