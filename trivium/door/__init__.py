"""What ``import trivium`` offers: models, studies and couplings as objects of Python; docs/python.md shows each."""
