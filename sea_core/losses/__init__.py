"""Loss functions: pure, tensors in, tensor out."""
