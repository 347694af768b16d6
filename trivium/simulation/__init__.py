"""Simulations: one model over interactive time."""
