"""The workshop where this project's FMUs are made. The server (`adcc`) never imports it."""
