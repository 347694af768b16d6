"""FMUs: their description, their registry, one adapter a vendor."""
