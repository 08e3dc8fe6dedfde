"""Where datasets come from: one file a source, found by ``registry``."""
