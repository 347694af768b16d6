"""A data-centre cooling plant as an FMU behind a REST API."""

__version__ = "0.1.0"
