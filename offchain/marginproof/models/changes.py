"""Changing single parameters of a model for one run: PATH=VALUE, checked as the document would be.

A path is written as in a document, `basis.base` or `scenarios[3].weight`, and means the default entry; `underlyings.ETH.basis.base`
means one symbol's (one without an entry gets a copy of the default first). A value is a decimal, a whole number for the two fields in
seconds, a JSON object or list for a whole group, or `null`, which takes a group away. All changes are made before anything is checked,
and scenarios are then put into the order of documents.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import ValidationError

from ..documents import ModelDocument, Rounding, ScenarioEntry, parse_document
from ..documents.decimals import show
from ..documents.json_text import location_text
from ..documents.scenario_order import order_key
from ..errors import InputError

_PART: Final = re.compile(r"([A-Za-z0-9]+)((?:\[[0-9]{1,3}\])*)", re.ASCII)
_TOP: Final = ("default", "underlyings", "name", "source", "date", "description")
_WHOLE: Final = ("floorSeconds", "averagingSeconds")
_INTEGER: Final = re.compile(r"-?[0-9]{1,1000}", re.ASCII)
_FORM: Final = "PATH=VALUE, such as basis.base=0.6, scenarios[3].weight=0.5 or vol.floorSeconds=3600"

_Steps = list[str | int]


def changed_model(
    text: str, origin: str, changes: Sequence[str], rounding: Rounding | None = None
) -> ModelDocument:
    """The model of a document's text with the changes made. Errors: InputError naming the change, or as `parse_document`."""
    if not changes:
        return parse_document(ModelDocument, text, origin, rounding)
    parse_document(ModelDocument, text, origin, None if rounding is None else Rounding())
    document = json.loads(text, parse_float=str)
    for change in changes:
        _apply(document, change)
    for entry in (document.get("default"), *_entries(document.get("underlyings"))):
        _sort(entry, rounding)
    try:
        return parse_document(ModelDocument, json.dumps(document), f"{origin} with --set", rounding)
    except InputError as error:
        raise InputError(_as_typed(error.message, changes), error.hint) from None


def require_changed_symbols(changes: Sequence[str], symbols: Iterable[str]) -> None:
    """Refuse changes for underlyings that are not among these, the market's: they would change nothing. Error: InputError."""
    known = sorted(symbols)
    for change in changes:
        path, _, text = change.partition("=")
        steps = _steps(path)
        if steps[0] != "underlyings":
            continue
        value = _value(steps, text)
        named = steps[1:2] if len(steps) > 1 else list(value) if isinstance(value, dict) else []
        for symbol in named:
            if symbol not in known:
                raise InputError(
                    f"--set {path}: underlying {symbol} is not in the market; allowed: {', '.join(known)}"
                )


def _as_typed(message: str, changes: Sequence[str]) -> str:
    """The message with the places that changes name written as they were typed."""
    for change in changes:
        path = change.partition("=")[0]
        steps = [
            int(step) if isinstance(step, str) and step.isdecimal() else step for step in _full_steps(path)
        ]
        place = re.escape(location_text(tuple(steps)))
        message = re.sub(rf"(?m)^  {place}(?=[.:\[])", f"  {path}", message)
    return message


def _apply(document: dict[str, Any], change: str) -> None:
    path, equals, text = change.partition("=")
    if not equals:
        raise InputError(f"--set: {show(change)} has no =; allowed: {_FORM}")
    steps = _full_steps(path)
    if steps[0] == "underlyings" and len(steps) > 2:
        document.setdefault("underlyings", {}).setdefault(steps[1], copy.deepcopy(document.get("default")))
    place: Any = document
    for step in steps[:-1]:
        place = _descend(place, step, path)
    last = _index(place, steps[-1])
    value = _value(steps, text)
    if isinstance(last, int):
        _item(place, last, path)
        place[last] = value
    elif not isinstance(place, dict):
        raise InputError(
            f"--set {path}: {show(last)} is looked for in something that is no group; allowed: {_FORM}"
        )
    elif value is None:
        place.pop(last, None)
    else:
        place[last] = value


def _steps(path: str) -> _Steps:
    steps: _Steps = []
    for part in path.split("."):
        found = _PART.fullmatch(part)
        if not found:
            raise InputError(f"--set: {show(path)} is not a path; allowed: {_FORM}")
        steps.append(found[1])
        steps += [int(index) for index in re.findall(r"[0-9]+", found[2])]
    return steps


def _full_steps(path: str) -> _Steps:
    steps = _steps(path)
    return steps if steps[0] in _TOP else ["default", *steps]


def _index(place: Any, step: str | int) -> str | int:
    return int(step) if isinstance(place, list) and isinstance(step, str) and step.isdecimal() else step


def _descend(place: Any, step: str | int, path: str) -> Any:
    step = _index(place, step)
    if isinstance(place, dict) and isinstance(step, str):
        return place.setdefault(step, {})
    return _item(place, step, path)


def _item(place: Any, step: str | int, path: str) -> Any:
    if not isinstance(place, list) or not isinstance(step, int):
        raise InputError(
            f"--set {path}: there is no {show(step)} at this place of the model; allowed: {_FORM}"
        )
    if step >= len(place):
        raise InputError(f"--set {path}: there is no entry {step}; allowed: 0 to {len(place) - 1}")
    return place[step]


def _value(steps: _Steps, text: str) -> Any:
    if text == "null":
        return None
    if text.startswith(("{", "[", '"')):
        try:
            return json.loads(text, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            raise InputError(f"--set {show(text)}: not valid JSON ({error})") from None
    if steps[-1] in _WHOLE and _INTEGER.fullmatch(text):
        return int(text)
    return text


def _entries(underlyings: Any) -> list[Any]:
    return list(underlyings.values()) if isinstance(underlyings, dict) else []


def _sort(entry: Any, rounding: Rounding | None) -> None:
    """Sort scenarios if each is right; else they stay where they are, so that the check names the places that were changed."""
    if not isinstance(entry, dict) or not isinstance(entry.get("scenarios"), list):
        return
    context = None if rounding is None else Rounding()
    try:
        keyed = [
            (order_key(ScenarioEntry.model_validate_json(json.dumps(item), context=context).spec()), item)
            for item in entry["scenarios"]
        ]
    except ValidationError:
        return
    entry["scenarios"] = [item for _, item in sorted(keyed, key=lambda pair: pair[0])]
