"""Replay recorded trajectories through the plant and print the errors per group of outputs.

``python -m workshop.cooling_plant.validate [--fmu FMU] [--data CSV] [--tolerance T] [--plots DIR]``; the exit status
is 1 when a wanted limit is missed. The trajectories are segments of 300 s steps: `time` is the step's start, outputs
stand at its end, and the first inputs of a segment are set before initialization ends. Start states differ, so a
segment scores from its fourth step on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from fmpy import extract, read_model_description
from fmpy.fmi2 import FMU2Slave

from workshop.cooling_plant.variables import INPUTS, OUTPUTS, TOWER_CELLS, UNITS

__all__ = ["Score", "exclusions", "replay", "score", "score_table"]

STEP = 300.0
FIRST_SCORED = 3
AT_A_STEP = 2000.0  # error of the chillers' power [W] that only a unit on the other side of a power step makes
DEFAULT_FMU = Path(__file__).parents[2] / "Resources" / "AlphaDataCenterCooling_FMU.fmu"
DEFAULT_DATA = Path(__file__).parents[3] / "shared" / "data" / "plant-trajectories.csv.gz"

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """Error of a group of outputs.

    Parameters
    ----------
    group, unit : str
        What is compared.
    count : int
        Values scored.
    rmse, worst : float
        Root mean square and largest absolute error [unit].
    relative : float
        RMSE over the mean of the reference [%].
    limit : float or None
        Wanted bound of `rmse` (unit K) or of `relative` (all others); None where none is set.
    """

    group: str
    unit: str
    count: int
    rmse: float
    worst: float
    relative: float
    limit: float | None

    @property
    def met(self) -> bool:
        """Whether the wanted limit is kept."""
        value = self.rmse if self.unit == "K" else self.relative
        return self.limit is None or value <= self.limit


def replay(fmu: Path, trajectories: pd.DataFrame, tolerance: float = 1e-4) -> tuple[pd.DataFrame, Floats]:
    """Step the FMU through all segments, each in a fresh instance.

    Returns
    -------
    outputs : DataFrame, one row a step
        The plant's outputs at the end of each step.
    seconds : ndarray, one value a step
        Wall time of each doStep [s].
    """
    description = read_model_description(fmu)
    reference = {v.name: v.valueReference for v in description.modelVariables}
    names_in, names_out = [v.name for v in INPUTS], [v.name for v in OUTPUTS]
    into, out = [reference[n] for n in names_in], [reference[n] for n in names_out]
    inputs = trajectories[names_in].to_numpy(float).tolist()
    starts, segments = trajectories["time"].to_numpy(float), trajectories["segment"].to_numpy()
    outputs, seconds = np.empty((len(trajectories), len(out))), np.empty(len(trajectories))
    with tempfile.TemporaryDirectory() as folder:
        extract(fmu, unzipdir=folder)
        instance: FMU2Slave | None = None
        for row, (start, segment) in enumerate(zip(starts, segments, strict=True)):
            if row == 0 or segment != segments[row - 1]:
                if instance is not None:
                    instance.freeInstance()
                instance = FMU2Slave(
                    guid=description.guid,
                    unzipDirectory=folder,
                    modelIdentifier=description.coSimulation.modelIdentifier,
                    instanceName="plant",
                )
                instance.instantiate()
                instance.setupExperiment(startTime=start, tolerance=tolerance)
                instance.enterInitializationMode()
                instance.setReal(into, inputs[row])
                instance.exitInitializationMode()
            else:
                instance.setReal(into, inputs[row])
            begin = time.perf_counter()
            instance.doStep(start, STEP)
            seconds[row] = time.perf_counter() - begin
            outputs[row] = instance.getReal(out)
        if instance is not None:
            instance.freeInstance()
    return pd.DataFrame(outputs, columns=names_out, index=trajectories.index), seconds


def _rms(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))


def _columns(frame: pd.DataFrame, names: Sequence[str]) -> Floats:
    return frame[list(names)].to_numpy(float)


def _open(frame: pd.DataFrame, names: Sequence[str]) -> Mask:
    return _columns(frame, names) > 0.5


def beyond_run_out(data: pd.DataFrame, kind: str) -> Mask:
    """Rows by units on which a running pump of the reference has a negative rise (reported as its magnitude)."""
    running = _open(data, [f"{kind}0{i}_ONOFF" for i in UNITS])
    return running & (_columns(data, [f"eta_{kind}{i}" for i in UNITS]) <= 0.0)


def exclusions(data: pd.DataFrame) -> dict[str, Mask]:
    """Rows on which the reference is unphysical, by reason.

    The second law for chillers is checked where no heat exchanger takes a share: chilled water heat times
    (T_condenser/T_evaporator - 1) of the running unit with the smallest lift is the least power of a reversed Carnot
    cycle.
    """
    power = _columns(data, [f"Pchi{i}" for i in UNITS])
    on = _open(data, [f"CHI0{i}" for i in UNITS])
    flowing = _open(data, [f"U_CT{i}" for i, _ in TOWER_CELLS])
    leaving = _columns(data, [f"Tlvg_CT{i}_0{j}" for i, j in TOWER_CELLS])
    heat = data["Mchw"].to_numpy(float) * 4184.0 * (data["Tchw_r"] - data["Tchw_supply"]).to_numpy(float)
    lift = _columns(data, [f"Tcwr_CHI{i}" for i in UNITS]) / _columns(data, [f"Tchws_CHI{i}" for i in UNITS]) - 1.0
    least = heat * np.where(on, lift, np.inf).min(axis=1, initial=np.inf)
    bare = on.any(axis=1) & ~_open(data, [f"CHI0{i}_CHW3" for i in UNITS]).any(axis=1)
    return {
        "negative chiller power": np.asarray((power < -1.0).any(axis=1)),
        "chiller power below a reversed Carnot cycle's": np.asarray(
            bare & (data["P_Chillers_sum"].to_numpy(float) < least)
        ),
        "tower water colder than the wet bulb": np.asarray(
            (flowing & (leaving < data["Twb_outside"].to_numpy(float)[:, None] - 0.01)).any(axis=1)
        ),
    }


def score(data: pd.DataFrame, outputs: pd.DataFrame) -> list[Score]:
    """Errors of all groups of outputs over the physical rows from the fourth step of a segment on.

    Temperatures in trains and towers count where their water runs; standing water still remembers the start.
    """
    rows = (data["step"].to_numpy() >= FIRST_SCORED) & ~np.logical_or.reduce(list(exclusions(data).values()))

    def group(label: str, unit: str, limit: float | None, names: Sequence[str], mask: Mask | None = None) -> Score:
        chosen = np.broadcast_to(rows[:, None], (len(data), len(names))) & (True if mask is None else mask)
        reference = _columns(data, names)[chosen]
        error = _columns(outputs, names)[chosen] - reference
        rmse = _rms(error)
        return Score(
            label,
            unit,
            error.size,
            rmse,
            float(np.abs(error).max()),
            100.0 * rmse / abs(float(reference.mean())),
            limit,
        )

    def valves(*suffixes: str) -> Mask:
        return np.logical_and.reduce([_open(data, [f"CHI0{i}_{s}" for i in UNITS]) for s in suffixes])

    scores = [
        group("chilled water supply", "K", 0.15, ["Tchw_supply"]),
        group("condenser water supply", "K", 0.15, ["Tcw_supply"]),
        group("condenser water return", "K", 0.15, ["Tcw_returnPipe"]),
        group(
            "tower cells, leaving",
            "K",
            None,
            [f"Tlvg_CT{i}_0{j}" for i, j in TOWER_CELLS],
            _open(data, [f"U_CT{i}" for i, _ in TOWER_CELLS]),
        ),
        group("heat exchangers, condenser water", "K", None, [f"Tcwr_HEX{i}" for i in UNITS], valves("CW3")),
        group("heat exchangers, chilled water", "K", None, [f"Tchws_HEX{i}" for i in UNITS], valves("CHW3", "CHW4")),
        group("chillers, condenser water", "K", None, [f"Tcwr_CHI{i}" for i in UNITS], valves("CW4")),
        group("chillers, chilled water", "K", None, [f"Tchws_CHI{i}" for i in UNITS], valves("CHW4")),
        group("condenser water flow", "m3/s", None, ["VolumeFlowRate_cw"]),
        group("condenser pump power", "W", 0.5, ["P_CDWPs_sum"]),
        group("chilled water pump power", "W", 0.5, ["P_CHWPs_sum"]),
        group("fan power, sum", "W", 1.0, ["P_CTfans_sum"]),
        group("fan power, each", "W", 1.0, [f"Pfan_CT{i}_0{j}" for i, j in TOWER_CELLS]),
        group("chiller power, sum", "W", 2.0, ["P_Chillers_sum"]),
        group("chiller power, each", "W", 2.0, [f"Pchi{i}" for i in UNITS], _open(data, [f"CHI0{i}" for i in UNITS])),
    ]
    for kind in ("CDWP", "CHWP"):
        running = _open(data, [f"{kind}0{i}_ONOFF" for i in UNITS]) & ~beyond_run_out(data, kind)
        scores.append(group(f"H_{kind}, running", "m", 1.0, [f"H_{kind}{i}" for i in UNITS], running))
        scores.append(group(f"eta_{kind}, running", "1", 1.0, [f"eta_{kind}{i}" for i in UNITS], running))
    return scores


def score_table(scores: Sequence[Score]) -> str:
    """The scores as a Markdown table."""
    lines = ["| outputs | values | RMSE | worst | RMSE / mean | wanted |", "|---|--:|--:|--:|--:|--:|"]
    for s in scores:
        limit = "" if s.limit is None else f"{s.limit:g} {'K' if s.unit == 'K' else '%'}{'' if s.met else ' MISSED'}"
        lines.append(
            f"| {s.group} | {s.count} | {s.rmse:.4g} {s.unit} | {s.worst:.4g} {s.unit} | {s.relative:.4f} % | {limit} |"
        )
    return "\n".join(lines)


def plot(data: pd.DataFrame, outputs: pd.DataFrame, folder: Path) -> Path:
    """Draw plant against reference for the scored rows; returns the PNG's path."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = (
        "Tchw_supply",
        "Tcw_supply",
        "Tcw_returnPipe",
        "P_Chillers_sum",
        "P_CDWPs_sum",
        "P_CHWPs_sum",
        "P_CTfans_sum",
        "VolumeFlowRate_cw",
    )
    units = {v.name: v.unit for v in OUTPUTS}
    unphysical = np.logical_or.reduce(list(exclusions(data).values()))
    scored = data["step"].to_numpy() >= FIRST_SCORED
    figure, axes = pyplot.subplots(2, 4, figsize=(15, 7.5), constrained_layout=True)
    for name, axis in zip(names, axes.flat, strict=True):
        for mask, style, label in (
            (scored & ~unphysical, "C0.", "physical"),
            (scored & unphysical, "C3x", "unphysical"),
        ):
            axis.plot(
                data[name][mask],
                outputs[name][mask],
                style,
                markersize=3,
                alpha=0.6,
                label=f"{label} rows of the reference",
            )
        low, high = axis.get_xlim()
        axis.plot((low, high), (low, high), "k-", linewidth=0.6)
        axis.set(title=f"{name} [{units[name]}]", xlabel="reference", ylabel="plant")
    axes.flat[0].legend(fontsize=7)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "plant-validation.png"
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; see the module's description."""
    parser = argparse.ArgumentParser(description="Replay recorded trajectories through the plant and print the errors.")
    parser.add_argument("--fmu", type=Path, default=DEFAULT_FMU)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TRIVIUM_TRAJECTORIES", DEFAULT_DATA)))
    parser.add_argument("--tolerance", type=float, default=1e-4, help="relative tolerance of the integrator")
    parser.add_argument("--plots", type=Path, help="folder to draw into")
    options = parser.parse_args(arguments)
    if not options.data.exists():
        print(f"no trajectories at {options.data}: name them by --data or TRIVIUM_TRAJECTORIES", file=sys.stderr)
        return 2
    data = pd.read_csv(options.data)
    outputs, seconds = replay(options.fmu, data, options.tolerance)
    scored = data["step"].to_numpy() >= FIRST_SCORED
    reasons = exclusions(data)
    unphysical = np.logical_or.reduce(list(reasons.values()))
    print(
        f"{len(data)} steps in {data['segment'].nunique()} segments; "
        f"{scored.sum()} from the fourth step of a segment on\n"
    )
    print("| excluded because the reference is unphysical | all rows | rows that would be scored |\n|---|--:|--:|")
    for reason, mask in reasons.items():
        print(f"| {reason} | {mask.sum()} | {(mask & scored).sum()} |")
    print(f"| any of these | {unphysical.sum()} | {(unphysical & scored).sum()} |")
    for kind in ("CDWP", "CHWP"):
        print(
            f"| heads and efficiencies of {kind} beyond run-out (that pump only) "
            f"| | {beyond_run_out(data, kind)[scored].sum()} |"
        )
    scores = score(data, outputs)
    print(f"\n{score_table(scores)}\n")
    error = (outputs["P_Chillers_sum"] - data["P_Chillers_sum"]).to_numpy(float)[scored & ~unphysical]
    far = np.abs(error) > AT_A_STEP
    print(
        f"chiller power: {far.sum()} rows more than {AT_A_STEP:g} W off; RMSE of the others {_rms(error[~far]):.0f} W"
    )
    mean, median, p95 = 1e3 * seconds.mean(), 1e3 * np.median(seconds), 1e3 * np.percentile(seconds, 95)
    print(
        f"a 300 s step at tolerance {options.tolerance:g}: mean {mean:.3f} ms, median {median:.3f} ms, "
        f"95 % below {p95:.3f} ms"
    )
    if options.plots:
        print(f"plot: {plot(data, outputs, options.plots)}")
    missed = [s.group for s in scores if not s.met]
    print(f"wanted limits missed: {', '.join(missed)}" if missed else "all wanted limits kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
