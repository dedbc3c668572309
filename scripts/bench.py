#!/usr/bin/env python3
"""Measure the engine against its peers, print the table, and write build/bench.json and build/bench-growth.png.

python scripts/bench.py [--quick] [--only NAME] [--out FOLDER] [--docs]

--quick takes small sizes, to see that everything runs: its figures mean little. Exit code 1 when a full run misses a target.
--docs also rewrites the results and the picture of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.benchmarks import epoch, growth, netting, pricing, report, tree  # noqa: E402  (needs the line above)
from scripts.benchmarks.result import Result  # noqa: E402
from scripts.benchmarks.sizes import FULL, QUICK, Sizes  # noqa: E402

from marginproof.files import write_bytes  # noqa: E402  (after the line above, as the next ones)

PICTURE = "bench-growth.png"
PAGE = ROOT / "docs" / "benchmarks.md"
BENCHES: dict[str, Callable[[Sizes, Path], list[Result]]] = {
    "value": lambda sizes, _: pricing.bench_value(sizes),
    "net": lambda sizes, _: netting.bench_net(sizes),
    "tree": lambda sizes, _: tree.bench_tree(sizes),
    "epoch": lambda sizes, _: epoch.bench_epoch(sizes),
    "next": lambda sizes, _: epoch.bench_next(sizes),
    "growth": lambda sizes, folder: growth.bench_growth(sizes, folder / PICTURE),
    "start": lambda sizes, _: epoch.bench_start(sizes),
}


def main(arguments: list[str]) -> int:
    """Run the measurements; 0 when every target is met or the sizes are small, else 1."""
    parser = argparse.ArgumentParser(prog="bench.py", description="Measure the engine against its peers.")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: seconds, and figures that mean little"
    )
    parser.add_argument(
        "--only", choices=BENCHES, action="append", help="one measurement; may be given again"
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build", help="folder of bench.json and the picture"
    )
    parser.add_argument(
        "--docs", action="store_true", help="rewrite docs/benchmarks.md and its picture; full runs only"
    )
    chosen = parser.parse_args(arguments)
    if chosen.docs and (chosen.quick or chosen.only):
        parser.error("--docs takes a full run: leave out --quick and --only")
    results: list[Result] = []
    progress = Console(stderr=True)
    for name in chosen.only or BENCHES:
        progress.print(f"measuring {name} ...", style="dim")
        results += BENCHES[name](QUICK if chosen.quick else FULL, chosen.out)
    report.show(results, Console(width=None if sys.stdout.isatty() else 180))
    report.write(results, chosen.out / "bench.json")
    if chosen.docs:
        report.rewrite_page(results, PAGE)
        write_bytes(PAGE.with_name("benchmarks-growth.png"), (chosen.out / PICTURE).read_bytes())
    return 0 if chosen.quick or all(item.ok for item in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
