"""The demonstration: a real crash margined, signed, posted, liquidated and audited on a local chain."""
