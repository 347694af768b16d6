"""Programs of other projects, unmodified, against a real server; each test names the checkout that it needs."""
