"""How raw files lie on disk: one file a layout, found by ``registry``."""
