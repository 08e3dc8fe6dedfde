"""Tables, the page and the conclusion."""
