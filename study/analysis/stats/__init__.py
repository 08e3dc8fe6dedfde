"""Statistics on per-user metrics: arrays in, NamedTuples out; ``docs/statistics.md`` explains each file."""
