"""marginproof: portfolio margin that anyone can recompute, on chain and off chain equal bit for bit."""

__version__ = "0.1.0"
