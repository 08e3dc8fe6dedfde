"""The audit: that every config field is alive, and that every cache key covers what its entry depends on."""
