"""A year of the plant under the baseline controller, and the files of the test case that come from it."""
