"""From raw interactions and raw item content to a dataset folder with its provenance (docs/data.md)."""
