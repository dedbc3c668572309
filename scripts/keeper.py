#!/usr/bin/env python3
"""Run the keeper from a script: `python scripts/keeper.py once|run ...` is `marginproof keeper once|run ...`."""

from __future__ import annotations

import sys

from marginproof.cli.main import run

if __name__ == "__main__":
    sys.exit(run(["keeper", *sys.argv[1:]]))
