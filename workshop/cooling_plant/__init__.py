"""The data-centre cooling plant: equations, parameters, identification and validation."""
