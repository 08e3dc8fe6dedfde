"""What the records of a study say: comparisons, contenders and the statistics under them."""
