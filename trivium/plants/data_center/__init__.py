"""The closed data centre: what is known of it beyond its FMU."""
