"""Models that feed each other, run to a fixed point; see docs/coupling.md."""
