"""The contracts that hold money and commitments, run in an EVM."""
