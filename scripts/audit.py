#!/usr/bin/env python3
"""Audit a venue from a script: `python scripts/audit.py ...` is `marginproof audit ...`."""

from __future__ import annotations

import sys

from marginproof.cli.main import run

if __name__ == "__main__":
    sys.exit(run(["audit", *sys.argv[1:]]))
