"""Search, records, statistics and reports."""
