"""Writing and comparing the vector files, their schemas and the manifest."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Final

import jsonschema

from marginproof.spec.hashing import keccak

from .case import FORMAT, SOURCE, VERSION, Json, Topic, filled
from .schema import family_schema
from .topics import TOPICS

FILES: Final = f"v{VERSION}"
FIX: Final = "if the change is meant, run: python scripts/vectors.py fill"


def dumps(document: Json) -> str:
    """A vector file as text: one line per case, so that a difference shows the case."""
    head = {key: value for key, value in document.items() if key != "cases"}
    cases = ",\n".join(json.dumps(case, ensure_ascii=False) for case in document["cases"])
    return json.dumps(head, ensure_ascii=False)[:-1] + ', "cases": [\n' + cases + "\n]}\n"


def families() -> dict[str, list[Topic]]:
    """All topics, grouped by family in the order of the list."""
    groups: dict[str, list[Topic]] = {}
    for topic in TOPICS:
        groups.setdefault(topic.family, []).append(topic)
    return groups


def _manifest(documents: dict[str, Json], texts: dict[str, str]) -> str:
    files = []
    for path, document in documents.items():
        results = [case["result"] for case in document["cases"]]
        data = texts[f"{FILES}/{path}"].encode()
        files.append(
            {
                "path": f"{FILES}/{path}",
                "family": document["family"],
                "topic": document["topic"],
                "cases": len(results),
                "valid": results.count("valid"),
                "invalid": results.count("invalid"),
                "sha256": "0x" + hashlib.sha256(data).hexdigest(),
                "keccak256": "0x" + keccak(data).hex(),
            }
        )
    total = sum(len(document["cases"]) for document in documents.values())
    head = {"format": FORMAT, "version": VERSION, "source": SOURCE, "total": total, "files": files}
    return json.dumps(head, indent=2) + "\n"


def generate() -> dict[str, str]:
    """Every file below tests/vectors that the generator owns, by relative path. Each vector file fits its schema."""
    schemas = {family: family_schema(family, topics) for family, topics in families().items()}
    texts = {
        f"schema/{family}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for family, schema in schemas.items()
    }
    documents = {}
    for topic in TOPICS:
        document = filled(topic)
        jsonschema.validate(document, schemas[topic.family])
        documents[topic.path] = document
        texts[f"{FILES}/{topic.path}"] = dumps(document)
    texts["MANIFEST.json"] = _manifest(documents, texts)
    return texts


def present(folder: Path) -> dict[str, str]:
    """The files that are there now, by relative path."""
    paths = [*folder.glob(f"{FILES}/**/*.json"), *folder.glob("schema/*.json"), *folder.glob("MANIFEST.json")]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}


def _different_cases(path: str, found: str, wanted: str) -> list[str]:
    if not path.startswith(FILES):
        return []
    try:
        before = {case["id"]: case for case in json.loads(found)["cases"]}
    except (ValueError, KeyError, TypeError):
        return ["  the file is not a readable vector file"]
    after = {case["id"]: case for case in json.loads(wanted)["cases"]}
    lines = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            lines.append(f"  case {name}: no longer generated")
        elif name not in before:
            lines.append(f"  case {name}: missing from the file")
        elif before[name] != after[name]:
            fields = [key for key in after[name] if before[name].get(key) != after[name][key]]
            lines.append(f"  case {name}: differs in {', '.join(fields) or 'extra fields'}")
    return lines


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """One line per file that is missing, extra or different, followed by its cases."""
    lines = []
    for path in sorted(found.keys() | wanted.keys()):
        if path not in found:
            lines.append(f"{path}: missing")
        elif path not in wanted:
            lines.append(f"{path}: not made by the generator")
        elif found[path] != wanted[path]:
            lines.append(f"{path}: differs from what the specification gives")
            lines += _different_cases(path, found[path], wanted[path])
    return lines


def check(folder: Path) -> int:
    """Print every difference between disk and specification; exit code 1 when there is any."""
    lines = differences(present(folder), generate())
    for line in lines:
        print(line, file=sys.stderr)
    if lines:
        print(FIX, file=sys.stderr)
        return 1
    print(f"{sum(1 for _ in TOPICS)} vector files are what the specification gives")
    return 0


def fill(folder: Path) -> int:
    """Write every file (each by rename, so none is ever half-written) and remove those no longer generated."""
    texts = generate()
    for path in present(folder).keys() - texts.keys():
        (folder / path).unlink()
    for path, text in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".tmp")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    print(f"{len(TOPICS)} vector files, {json.loads(texts['MANIFEST.json'])['total']} cases")
    return 0
