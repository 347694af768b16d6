"""Colours and dashes of curves, colours of heat maps: on every page, report and sheet the same."""

from __future__ import annotations

#: Of curves, in their order: distinct on white and on black, and by their dashes without colours.
COLOURS = ("#3b7fc4", "#c8641e", "#2b8a63", "#a4509a", "#8a7a1f", "#5b6f8a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
#: Of heat maps, by its name in Plotly: even in brightness, and the same to eyes that see no red or no green.
HEAT = "Cividis"
#: Buttons that no chart has: they choose points, and the last would send the chart to a host on the internet.
LEFT_OUT = ("select2d", "lasso2d", "sendChartToCloud")
