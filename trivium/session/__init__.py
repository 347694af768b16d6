"""Sessions: who owns a model, and how others reach it."""
