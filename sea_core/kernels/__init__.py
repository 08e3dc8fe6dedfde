"""Compiled inner loops. Each has a plain PyTorch twin beside its caller, for wherever it cannot run."""
