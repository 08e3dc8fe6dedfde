"""Runs given to executors, heard, kept and repeated after a failure."""
