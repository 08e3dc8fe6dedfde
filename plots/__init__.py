"""Figure code: one figure a file, `compute` then `draw`."""
