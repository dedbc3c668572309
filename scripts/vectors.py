"""The vectors every implementation must reproduce.

python scripts/vectors.py fill     write tests/vectors from the specification
python scripts/vectors.py check    compare what is committed with what the specification gives now
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.vector_families import store  # noqa: E402  (needs the line above when started as a script)


def main(arguments: list[str]) -> int:
    """Run one command; the exit code is 0 when everything is as it should be."""
    if arguments == ["fill"]:
        return store.fill(ROOT / "tests/vectors")
    if arguments == ["check"]:
        return store.check(ROOT / "tests/vectors")
    print("usage: python scripts/vectors.py fill|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
