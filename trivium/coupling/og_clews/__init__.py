"""An energy model (OSeMOSYS) and a macro-economic model (OG-Core) that feed each other; docs/og-clews.md."""
