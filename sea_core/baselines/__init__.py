"""The simplest methods, for every table."""
