"""From records to comparisons and contenders; the arithmetic of statistics as pure functions."""
