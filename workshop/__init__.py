"""The workshop where this project's FMUs are made. The server (`trivium`) never imports it."""
