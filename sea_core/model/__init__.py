"""The backbone, SEA's separation, and the two together."""
