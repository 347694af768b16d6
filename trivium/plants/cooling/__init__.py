"""The data-centre cooling plant: laws, surrogates and controllers that belong to it alone."""
