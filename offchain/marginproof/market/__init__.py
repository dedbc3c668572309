"""Market snapshots: importing real option chains, fitting smiles, the shipped crash."""
