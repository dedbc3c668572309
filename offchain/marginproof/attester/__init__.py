"""An attester: checks a proposal against its own market source (within tolerance) and its own chain (exactly), then signs."""
