"""Parts that models are built of: projections, graph propagation, SEA's separation."""
