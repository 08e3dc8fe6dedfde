"""From what a user asked for to studies that can be run, and what they will cost."""
