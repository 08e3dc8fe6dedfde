"""Arms, the runs they need, and searches of their own."""
