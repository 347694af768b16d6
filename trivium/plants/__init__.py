"""Plants: what belongs to one model only."""
