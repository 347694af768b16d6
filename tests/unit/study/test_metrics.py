import math

import numpy as np
import pandas
import pytest

from trivium.study.metrics import CENSORED, OUTPUTS, REDUCERS, reduce
from trivium.study.spec import Metric

#: An inventory that falls from 10 to 4 and grows to 25: a parabola around t = 2.
TIMES = np.linspace(0.0, 6.0, 601)
INVENTORY = 4.0 + 1.5 * (TIMES - 2.0) ** 2


@pytest.mark.parametrize(
    ("method", "threshold", "value"),
    [
        ("final", None, 28.0),
        ("min", None, 4.0),
        ("max", None, 28.0),
        ("mean", None, 4.0 + 0.5 * (4.0**3 + 2.0**3) / 6.0),
        ("time_of_min", None, 2.0),
        ("time_of_max", None, 6.0),
        ("time_above", 10.0, 0.0),
        ("time_above", 17.5, 5.0),
        ("time_above", 99.0, math.nan),
        ("time_below", 5.5, 1.0),
        ("time_below", 3.0, math.nan),
        ("startup_inventory", None, 6.0),
        ("self_sufficiency_time", None, 2.0),
        ("turning_point", None, 2.0),
        ("doubling_time", None, 2.0 + math.sqrt(16.0 / 1.5)),
    ],
)
def test_of_a_parabola(method, threshold, value):
    found = reduce(method, TIMES, INVENTORY, math.nan if threshold is None else threshold)
    assert found == pytest.approx(value, abs=0.011 if "doubling" in method else 1e-3, nan_ok=True)


def test_an_inventory_that_never_doubles():
    assert math.isnan(reduce("doubling_time", TIMES, 10.0 - TIMES))


def test_what_was_twice_the_beginning_before_the_minimum_is_no_doubling():
    values = np.array([1.0, 3.0, 0.5, 1.0, 2.0, 3.0])
    assert reduce("doubling_time", np.arange(6.0), values) == 4.0


def test_the_study_knows_all_methods():
    methods = Metric.model_fields["method"].annotation.__args__
    assert sorted(methods) == sorted([*REDUCERS, *OUTPUTS, "expression"])


def test_an_inventory_that_still_falls_at_the_end_has_no_minimum_yet():
    methods = ("startup_inventory", "self_sufficiency_time", "turning_point", "doubling_time")
    late = 10.0 + 100.0 * (TIMES - 0.75 * TIMES[-1]) ** 2  # doubles again before the end, and yet the least was late
    for values in (10.0 - TIMES, 10.0 - TIMES + np.sin(20.0 * TIMES), late):
        assert all(math.isnan(reduce(method, TIMES, values)) for method in methods)
    early = 10.0 + 100.0 * (TIMES - 0.65 * TIMES[-1]) ** 2
    assert reduce("startup_inventory", TIMES, early) == pytest.approx(early[0] - 10.0)
    assert reduce("self_sufficiency_time", TIMES, early) == pytest.approx(0.65 * TIMES[-1])
    assert reduce("self_sufficiency_time", TIMES, 10.0 + TIMES) == 0.0


@pytest.mark.parametrize("size", [7, 100, 101, 999, 2000, 4001])
def test_a_turning_point_is_that_of_a_centred_rolling_mean(size):
    """The rule as TRICYS states it: windows of a thousandth, and a minimum among the last 30 % is none."""
    times = np.linspace(0.0, 1.0, size)
    noise = np.random.default_rng(size).normal(0.0, 0.005, size)
    counts = {True: 0, False: 0}
    for least in np.linspace(0.6, 0.8, 41):
        values = (times - least) ** 2 + noise
        smooth = pandas.Series(values).rolling(max(1, size // 1000), center=True, min_periods=1).mean()
        late = int(smooth.idxmin()) >= size - int(0.3 * size)
        expected = math.nan if late else times[np.argmin(values)]
        assert reduce("turning_point", times, values) == pytest.approx(expected, nan_ok=True)
        counts[late] += 1
    assert all(counts.values())


def test_a_short_dip_before_the_end_hides_no_turning_point():
    """Smoothing is what sets a turning point apart: one output far below its neighbours does not count as the trend."""
    times = np.arange(5000.0)
    values = np.abs(times - 2000.0)
    values[4800] = -100.0
    assert reduce("turning_point", times, values) == 4800.0
    assert math.isnan(reduce("self_sufficiency_time", times, values))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_last_output_is_no_minimum_however_few_there_are(size):
    falling = np.arange(float(size))[::-1]
    methods = ("startup_inventory", "self_sufficiency_time", "turning_point", "doubling_time")
    assert all(math.isnan(reduce(method, np.arange(float(size)), falling)) for method in methods)


def test_every_reason_is_that_of_a_method():
    assert CENSORED.keys() <= REDUCERS.keys()
