"""Compiled inner loops: exact integer arithmetic and hashing, cached on disk after their first compilation."""
