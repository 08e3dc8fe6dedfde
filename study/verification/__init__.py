"""Proof that records can be made again, and how a study stands."""
