"""Points of the cooling plant, the default test case, for the examples in the description of the API."""

#: A set point [K].
ACTION = {"Tchws_set_HEX": 286.5}
#: An output and a signal of the boundary data.
OUTPUT, BOUNDARY = "Tchw_supply", "Twb_outside"
