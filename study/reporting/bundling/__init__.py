"""Bundles: a study as one file to attach to a paper, which says what it holds and can be checked by anybody."""
