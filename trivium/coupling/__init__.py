"""Models that feed each other, run to a fixed point; docs/coupling.md tells about it."""
