"""Controllers of the plant."""
