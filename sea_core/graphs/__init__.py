"""User-item and item-item graphs, and products with them."""
