"""Datasets: MMRec folders, the planted generator, ml-100k."""
