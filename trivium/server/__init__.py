"""The web tier: the Flask app, its wire format, one blueprint a resource."""
