"""The auditor: rebuilds every epoch from the chain alone and compares every figure, and explains any of them."""
