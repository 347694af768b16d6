"""Command line: ``adcc serve`` and ``adcc doctor``."""

from __future__ import annotations
