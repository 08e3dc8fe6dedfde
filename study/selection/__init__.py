"""Finalists, the winner and the baselines beside it."""
