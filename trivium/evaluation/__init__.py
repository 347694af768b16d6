"""Key performance indicators, scenarios and forecasts of a test case."""
