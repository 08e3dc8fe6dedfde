"""Batches, negatives, the training step, the resumable run."""
