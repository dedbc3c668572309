"""Which accounts differ between two sets of portfolios."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compile import kernel


@kernel
def find_changes(
    old_offsets: Any,
    old_ids: Any,
    old_quantities: Any,
    offsets: Any,
    ids: Any,
    quantities: Any,
    changed: Any,
    count: Any,
) -> None:
    """Set `changed` for the first `count` accounts: whether any position differs."""
    for account in range(count):
        old, new = np.uint64(old_offsets[account]), np.uint64(offsets[account])
        size = offsets[account + 1] - offsets[account]
        differs = old_offsets[account + 1] - old_offsets[account] != size
        if not differs:
            for i in range(np.uint64(size)):
                if old_ids[old + i] != ids[new + i] or old_quantities[old + i] != quantities[new + i]:
                    differs = True
                    break
        changed[account] = differs
