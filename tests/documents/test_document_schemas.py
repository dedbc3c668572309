"""The JSON Schemas: shipped as generated, and in agreement with the documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from marginproof.documents import document_json
from marginproof.documents.json_schema import DOCUMENT_KINDS, SCHEMA_FOLDER, schema, schema_text
from marginproof.market.crash import load_crash
from marginproof.models import list_presets, load_preset

from .changes import REMOVED, changed

Json = dict[str, Any]


@pytest.mark.parametrize("name", sorted(DOCUMENT_KINDS))
def test_the_shipped_schema_is_the_generated_one(name: str) -> None:
    shipped = (SCHEMA_FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(name), "run: python -m marginproof.documents.json_schema"
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", sorted(DOCUMENT_KINDS))
def test_everything_in_a_schema_is_described(name: str) -> None:
    whole = schema(name)
    assert whole["title"]
    assert whole["description"]
    for part in [whole, *whole["$defs"].values()]:
        assert part["description"]
        assert part["additionalProperties"] is False


def test_good_documents_satisfy_the_schemas(
    market_json: Json, model_json: Json, portfolio_json: Json
) -> None:
    for name, document in (("market", market_json), ("model", model_json), ("portfolio", portfolio_json)):
        Draft202012Validator(schema(name)).validate(document)
    for snapshot in load_crash():
        Draft202012Validator(schema("market")).validate(json.loads(document_json(snapshot)))
    for preset in list_presets():
        Draft202012Validator(schema("model")).validate(json.loads(document_json(load_preset(preset))))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("underlyings.0.spot", 5),
        ("underlyings.0.spot", "1e5"),
        ("underlyings.0.spot", "1.123456789"),
        ("underlyings.0.spot", "-1"),
        ("underlyings.0.symbol", "btc"),
        ("time", "5"),
        ("time", REMOVED),
        ("typo", 1),
    ],
)
def test_the_schema_refuses_what_the_form_forbids(market_json: Json, path: str, value: object) -> None:
    assert not Draft202012Validator(schema("market")).is_valid(changed(market_json, path, value))
