"""The boundary data of the default test case: outdoor wet bulb, chilled water flow and return temperature."""
