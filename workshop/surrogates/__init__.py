"""Training of the surrogate models in Resources/: required head and power of the chillers."""
