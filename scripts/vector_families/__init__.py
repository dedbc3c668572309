"""Generator of the test vectors: inputs chosen here, every expected value computed by `marginproof.spec`."""
