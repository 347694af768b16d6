"""Long runs as jobs: a durable record, and workers that run them."""
