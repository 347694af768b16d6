"""The closed data centre: halls, chilled and condenser water, storage; equations, parameters and validation."""
