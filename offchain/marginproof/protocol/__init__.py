"""Everything that touches a chain: compiling, deploying, sending, replaying events, a local chain to run."""
