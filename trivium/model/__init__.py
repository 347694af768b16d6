"""The contract of a dynamic model, and its adapters."""
