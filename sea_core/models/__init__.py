"""The models, one file each: their weights, losses and draws. ``protocol.py`` says what such a file has."""
