"""The liquidator: calls accounts that fell below maintenance margin and takes slices until they are healthy."""
