"""A data-centre cooling plant as an FMU behind a REST API."""
