"""Ablation arms (one YAML each) and their runner."""
