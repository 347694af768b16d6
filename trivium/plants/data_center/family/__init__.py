"""The family of data centres: climates, IT loads, electricity grids and sizes, and the test case that they make."""
