"""What figures share: style, labels, drawing and their registry."""
