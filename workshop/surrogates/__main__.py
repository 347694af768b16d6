"""Train the surrogates: ``python -m workshop.surrogates [DIRECTORY]`` writes mlp.pth and chiller_power.pth.

The errors on points that no net has seen go into docs/surrogates.md, between its marks.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.plants.cooling.surrogate import ChillerPowerModel, HeadModel
from workshop.surrogates import condenser_loop
from workshop.surrogates.fit import fit
from workshop.surrogates.operating_points import record
from workshop.surrogates.write import save

FloatArray = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "surrogates.md"
MARKS = ("<!-- written by python -m workshop.surrogates -->", "<!-- end -->")

#: Flow up to which the head is learnt, in thousands of kg/s: a third more than the boundary data ever asks for.
MOST_FLOW = 0.6
#: Head up to which errors count in full [m]; above it the pumps give hardly any flow.
USUAL_HEAD = 35.0
#: Ranges that the power is learnt in: load [W], leaving chilled and entering condenser water [K].
POWER_RANGE = np.array([[3e5, 283.5, 274.0], [4.5e6, 290.5, 313.0]])
POINTS, HELD_OUT = 6000, 1500


def head_samples(count: int, seed: int) -> FloatArray:
    """Draw chillers on, heat exchangers on, tower cells and flow; three in four of one mode alone."""
    rng = np.random.default_rng(seed)
    chillers, exchangers = rng.integers(0, 7, (2, count))
    mode = rng.integers(0, 4, count)
    chillers[mode == 0], exchangers[mode == 1] = 0, 0
    chillers[mode == 2] = exchangers[mode == 2]
    chillers[chillers + exchangers == 0] = 1  # with all closed the plant stops the flow itself
    return np.column_stack((chillers, exchangers, 2 * rng.integers(1, 7, count), rng.uniform(0.0, MOST_FLOW, count)))


def pure(x: FloatArray) -> NDArray[np.bool_]:
    """Tell the samples of one mode alone."""
    result: NDArray[np.bool_] = (x[:, 0] == 0) | (x[:, 1] == 0) | (x[:, 0] == x[:, 1])
    return result


def train_head() -> HeadModel:
    """Fit the required head to the loop's resistances."""
    x = head_samples(9000, seed=1)
    y = condenser_loop.required_head(*x.T)
    weight = np.where(pure(x), 1.0, 0.15) * np.where(y < USUAL_HEAD, 1.0, 0.05)
    bounds = (np.array([0.0, 0.0, 2.0, 0.0]), np.array([6.0, 6.0, 12.0, MOST_FLOW]))
    notes = "head of the condenser loop [m] from its resistances and the towers' lift; workshop/surrogates"
    return HeadModel(fit(x, y, bounds=bounds, hidden=(40, 40), weight=weight, iterations=2500, notes=notes))


def head_errors(model: HeadModel) -> dict[str, str]:
    """Errors on samples that were not trained on."""
    x = head_samples(4000, seed=2)
    y = condenser_loop.required_head(*x.T)
    error = np.array([model.predict(*row) for row in x]) - y
    usual, one_mode = y < USUAL_HEAD, pure(x)

    def figures(chosen: NDArray[np.bool_]) -> str:
        e = error[chosen]
        return (
            f"RMSE {np.sqrt(np.mean(e**2)):.3f} m, 95 % within {np.quantile(np.abs(e), 0.95):.3f} m ({e.size} samples)"
        )

    return {
        f"head up to {USUAL_HEAD:g} m, one mode": figures(usual & one_mode),
        f"head up to {USUAL_HEAD:g} m, mixed modes": figures(usual & ~one_mode),
        "head, all": figures(np.ones_like(usual)),
    }


def train_power(unit: NDArray[np.int64], measured: FloatArray, power: FloatArray) -> ChillerPowerModel:
    """Fit the power per load to the plant's."""
    x = np.column_stack((measured, np.eye(6)[unit - 1]))
    bounds = (np.append(POWER_RANGE[0], np.zeros(6)), np.append(POWER_RANGE[1], np.ones(6)))
    notes = "power of a chiller over its load from operating points of the plant's FMU; workshop/surrogates"
    weight = (measured[:, 0] / 1e6) ** 2  # so that errors of the power count alike
    ratio = power / measured[:, 0]
    return ChillerPowerModel(fit(x, ratio, bounds=bounds, hidden=(28, 28), weight=weight, iterations=900, notes=notes))


def power_points(count: int, seed: int) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Operating points within the range that the power is learnt in."""
    with tempfile.TemporaryDirectory() as cache:
        unit, measured, power = record(ROOT / "Resources", Path(cache), count, seed)
    inside = np.all((measured > POWER_RANGE[0]) & (measured < POWER_RANGE[1]), axis=1) & (power > 0.0)
    return unit[inside], measured[inside], power[inside]


def power_errors(
    model: ChillerPowerModel, unit: NDArray[np.int64], measured: FloatArray, power: FloatArray
) -> dict[str, str]:
    """Errors on operating points that were not trained on, in total and for each unit."""
    error = model.predict(unit, *measured.T) - power

    def figures(chosen: NDArray[np.bool_]) -> str:
        e, p = error[chosen], power[chosen]
        rmse = float(np.sqrt(np.mean(e**2)))
        median = float(np.median(np.abs(e) / p))
        return f"RMSE {rmse / 1e3:.1f} kW, {rmse / p.mean():.1%} of the mean; median {median:.1%} ({e.size} rows)"

    result = {"power, all units": figures(np.ones(unit.size, dtype=bool))}
    return result | {f"power, unit {i}": figures(unit == i) for i in range(1, 7)}


def document(figures: dict[str, str]) -> None:
    """Put the figures between the marks of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    table = "\n".join(
        ["| held out | error |", "|---|---|", *(f"| {name} | {value} |" for name, value in figures.items())]
    )
    DOCUMENT.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")


def main() -> None:
    """Train, save, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=ROOT / "Resources")
    directory = parser.parse_args().directory
    head = train_head()
    save(directory / "mlp.pth", "head", head.network)
    power = train_power(*power_points(POINTS, seed=1))
    save(directory / "chiller_power.pth", "chiller_power", power.network)
    figures = head_errors(head) | power_errors(power, *power_points(HELD_OUT, seed=2))
    for name, value in figures.items():
        print(f"{name}: {value}")
    if directory == ROOT / "Resources":
        document(figures)


if __name__ == "__main__":
    main()
