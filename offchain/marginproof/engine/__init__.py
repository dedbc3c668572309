"""The same arithmetic as the specification, arranged for whole epochs: value once per instrument, then net every account."""
