"""Books drawn from real open interest, margined under every preset, as tables."""
