"""Changing one value deep inside a JSON document."""

from __future__ import annotations

import copy
from typing import Any, Final

REMOVED: Final = object()
"""Stands for "take the key away"."""


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with the value at a dotted path (`underlyings.0.spot`) replaced, added, or removed."""
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    place: Any = result
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key: Any = int(last) if isinstance(place, list) else last
    if value is REMOVED:
        del place[key]
    else:
        place[key] = value
    return result
