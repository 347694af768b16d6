"""Charts."""

import numpy as np

from trivium.control.palette import HEAT
from trivium.dashboard import charts


def test_a_curve_is_thinned_by_columns_of_pixels_and_loses_no_extreme():
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(0, 1e6, 50_000))
    y = rng.normal(size=x.size)
    few, values = charts.thinned(x, y, 400)
    assert few.size <= 2 * 400 + 2
    column = np.minimum((x - x[0]) / (x[-1] - x[0]) * 400, 399).astype(int)
    kept = np.minimum((few - x[0]) / (x[-1] - x[0]) * 400, 399).astype(int)
    for each in range(0, 400, 37):
        assert values[kept == each].max() == y[column == each].max()
        assert values[kept == each].min() == y[column == each].min()


def test_nothing_but_gaps_is_thinned_too():
    x = np.arange(10_000.0)
    few, values = charts.thinned(x, np.full(x.size, np.nan), 100)
    assert np.isnan(values).all()
    assert (few[0], few[-1]) == (0.0, 9999.0)


def test_no_chart_offers_to_send_what_it_shows_elsewhere():
    for config in (charts.CONFIG, charts.FOLLOWING):
        assert "sendChartToCloud" in config["modeBarButtonsToRemove"]


def test_a_heat_map_has_the_colours_of_reports():
    ends = charts.Curve("a", "", np.arange(2.0), np.arange(2.0))
    (drawn,) = charts.heat_map(ends, ends, np.eye(2), "m")["data"]
    assert drawn["colorscale"] == HEAT
