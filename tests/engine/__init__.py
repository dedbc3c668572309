"""The engine against the specification: the same bits from arrays, in any order, from any number of threads."""
