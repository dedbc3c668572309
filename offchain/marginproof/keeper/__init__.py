"""The keeper: proposes a market and an epoch, collects signatures, posts. It keeps no state of its own: the chain has it all."""
