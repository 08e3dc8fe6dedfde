"""SEA (Separate Learning for multimedia recommendation): data, model, losses, training and evaluation."""
