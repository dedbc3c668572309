"""Margin models that venues have published, shipped as data, and the way to load one by name or file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ..documents import ModelDocument, load_model_file, parse_document
from ..errors import InputError

_SUFFIX = ".json"


def list_presets() -> list[str]:
    """Names of the shipped models, sorted."""
    return sorted(
        item.name.removesuffix(_SUFFIX)
        for item in resources.files(__name__).iterdir()
        if item.name.endswith(_SUFFIX)
    )


def load_preset(name: str) -> ModelDocument:
    """A shipped model by name, checked like a user's file. InputError lists the names for an unknown one."""
    if name not in list_presets():
        raise InputError(f"no shipped model is named {name!r}; allowed: {', '.join(list_presets())}")
    text = resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return parse_document(ModelDocument, text, name + _SUFFIX)


def load_model(path_or_preset: Path | str) -> ModelDocument:
    """A model from a file, or a shipped one when the text is a preset's name (a file of that name is written
    ./name).

    InputError when it is neither, or when the file is refused.
    """
    if str(path_or_preset) in list_presets():
        return load_preset(str(path_or_preset))
    if not Path(path_or_preset).exists():
        raise InputError(
            f"{path_or_preset}: no such file, and no shipped model of that name ({', '.join(list_presets())})"
        )
    return load_model_file(path_or_preset)
