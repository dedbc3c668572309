"""Margin models that venues have published, shipped as data, and the way to load one by name or file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ..documents import ModelDocument, Rounding, load_model_file, parse_document
from ..documents.loading import read_text
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
    return parse_document(ModelDocument, _preset_text(name), name + _SUFFIX)


def load_model(path_or_preset: Path | str, rounding: Rounding | None = None) -> ModelDocument:
    """A model from a file, or a shipped one when the text is a preset's name (a file of that name is written
    ./name). `rounding` as in `load_model_file`.

    InputError when it is neither, or when the file is refused.
    """
    if str(path_or_preset) in list_presets():
        return load_preset(str(path_or_preset))
    _require_file(path_or_preset)
    return load_model_file(path_or_preset, rounding)


def model_text(path_or_preset: Path | str) -> tuple[str, str]:
    """The unchecked text of a model, found as by `load_model`, and what to call it in messages. InputError when there is none."""
    if str(path_or_preset) in list_presets():
        return _preset_text(str(path_or_preset)), str(path_or_preset)
    _require_file(path_or_preset)
    return read_text(Path(path_or_preset)), str(path_or_preset)


def _preset_text(name: str) -> str:
    return resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")


def _require_file(path: Path | str) -> None:
    try:
        found = Path(path).exists()
    except (OSError, ValueError):
        found = False
    if not found:
        raise InputError(
            f"{path}: no such file, and no shipped model of that name ({', '.join(list_presets())})"
        )
