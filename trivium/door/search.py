"""What a study can seek besides running its runs."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from trivium.errors import InvalidValueError
from trivium.scratch import Scratch
from trivium.study.read import SweepResults, open_results
from trivium.study.values import parse

Read = TypeVar("Read")


class Searching(ABC):
    """The methods of `trivium.Study` that choose runs by themselves."""

    _content: dict[str, Any]

    def find(
        self,
        parameter: str,
        so_that: str,
        between: tuple[float, float] | None = None,
        *,
        tolerance: float | None = None,
        workers: int | None = None,
        scheduler: str | None = None,
        folder: str | os.PathLike[str] | None = None,
        cache: bool = True,
        progress: bool = False,
    ) -> SweepResults:
        """Find, for each run of the study, the value of a parameter at which a condition begins to hold.

        Parameters
        ----------
        parameter : str
            What is sought; values that the study has of it do not count.
        so_that : str
            A metric, ``<=``, ``>=`` or ``=``, and a number: ``"doubling_time <= 17520"``.
        between : tuple of float, optional
            Where it is sought; default: between the least and the greatest value that the study has of it.
        tolerance : float, optional
            Width to which it is narrowed; default: a thousandth of the interval.
        workers, scheduler, folder, cache, progress
            As those of `run`.

        Returns
        -------
        SweepResults
            A row for each run of the study: the parameter at the border, where the condition still holds; the
            metrics there; how it ended. docs/seek.md describes the columns.

        Raises
        ------
        InvalidValueError
            Naming the argument that is wrong.
        TriviumError
            As `run`.
        """
        values = dict(self._content["simulation_parameters"])
        listed = values.pop(parameter, None)
        if between is None and listed is not None:
            each = parse(listed, parameter, Path.cwd(), self._content["sampling"]["seed"])
            ends = np.array([each.low, each.high]) if each.listed is None else each.listed
            between = (float(ends.min()), float(ends.max()))
        if between is None:
            raise InvalidValueError(f"between must be two numbers, since the study has no {parameter}.", "between")
        sought = {"parameter": parameter, "so_that": so_that, "between": list(between), "tolerance": tolerance}
        path = self._write({**self._content, "simulation_parameters": values, "find": sought}, "find.json")
        return self._evaluate(
            path, workers, scheduler, folder=folder, cache=cache, progress=progress, read=open_results
        )

    def optimize(
        self,
        *,
        minimize: str | Sequence[str] = (),
        maximize: str | Sequence[str] = (),
        subject_to: str | Sequence[str] = (),
        runs: int,
        parameters: Mapping[str, Any] | None = None,
        batch: int = 20,
        sampler: str = "auto",
        seed: int = 0,
        workers: int | None = None,
        scheduler: str | None = None,
        folder: str | os.PathLike[str] | None = None,
        cache: bool = True,
        progress: bool = False,
    ) -> SweepResults:
        """Choose parameters so that metrics are least or greatest; the values of the study are what they may be.

        Parameters
        ----------
        minimize, maximize : str or sequence of str
            Metrics; one or more in all.
        subject_to : str or sequence of str
            Conditions on metrics, as ``"peak <= 300"``.
        parameters : Mapping[str, Any], optional
            Values in place of those of the study, such as ``{"x": "range:0:1"}``.
        runs, batch : int
            How many runs are made, and how many of them at a time.
        sampler : {"auto", "cmaes", "tpe", "nsga2"}
            Optuna's sampler; docs/seek.md has how one is chosen.
        seed : int
        workers, scheduler, folder, cache, progress
            As those of `run`.

        Returns
        -------
        SweepResults
            All runs; ``best`` has those that nothing is better than.

        Raises
        ------
        InvalidValueError
            Naming the argument that is wrong.
        MissingExtraError
            When the extra ``optimize`` is not installed.
        TriviumError
            As `run`.
        """
        goal = {
            "minimize": _several(minimize), "maximize": _several(maximize), "subject_to": _several(subject_to),
            "runs": runs, "batch": batch, "sampler": sampler, "seed": seed,
        }  # fmt: skip
        content = {name: value for name, value in self._content.items() if name != "sampling"}
        values = self._content["simulation_parameters"] | dict(parameters or {})
        path = self._write({**content, "simulation_parameters": values, "optimize": goal}, "optimize.json")
        return self._evaluate(
            path, workers, scheduler, folder=folder, cache=cache, progress=progress, read=open_results
        )

    def calibrate(
        self,
        data: str | os.PathLike[str],
        measured: Sequence[str] | Mapping[str, Mapping[str, Any]],
        *,
        parameters: Mapping[str, str] | None = None,
        start: Mapping[str, float] | None = None,
        by: str | None = None,
        inputs: bool = False,
        offset: float = 0.0,
        held_out: float = 0.0,
        confidence: float = 0.95,
        workers: int | None = None,
        scheduler: str | None = None,
        folder: str | os.PathLike[str] | None = None,
        cache: bool = True,
        progress: bool = False,
    ) -> dict[str, Any]:
        """Fit the parameters to what was measured.

        Parameters
        ----------
        data : str or path
            A CSV file with a column ``time`` and those of outputs.
        measured : sequence of str or Mapping
            Outputs that were measured; or each with its ``column`` and its ``deviation``.
        parameters : Mapping[str, str], optional
            Ranges in place of the values of the study, such as ``{"tau": "range:1:20"}``.
        start : Mapping[str, float], optional
            Where the fit begins; default: the middle of each range.
        by, inputs, offset, held_out, confidence
            As in a study's file, docs/seek.md.
        workers, scheduler, folder, cache, progress
            As those of `run`.

        Returns
        -------
        dict
            ``parameters``: a list with name, value, start, interval and whether it is identified; ``together``,
            ``errors``, ``converged`` and others, as ``calibration.json`` has them.

        Raises
        ------
        InvalidValueError
            Naming the argument that is wrong.
        TriviumError
            As `run`.
        """
        outputs = measured if isinstance(measured, Mapping) else {name: {} for name in measured}
        goal = {
            "data": str(Path(data).absolute()), "measured": outputs, "start": dict(start or {}), "by": by,
            "inputs": inputs, "offset": offset, "held_out": held_out, "confidence": confidence,
        }  # fmt: skip
        content = {name: value for name, value in self._content.items() if name != "sampling"}
        values = self._content["simulation_parameters"] | dict(parameters or {})
        path = self._write({**content, "simulation_parameters": values, "calibrate": goal}, "calibrate.json")
        evaluate = partial(self._evaluate, path, workers, scheduler, cache=cache, progress=progress)
        if folder is not None:
            return evaluate(folder=folder, read=_calibration)
        with Scratch() as temporary:
            return evaluate(folder=temporary, read=_calibration)

    @abstractmethod
    def _write(self, content: Mapping[str, Any], name: str) -> Path:
        """Check a study and write it into a file of this name."""

    @abstractmethod
    def _evaluate(
        self,
        file: Path,
        workers: int | None,
        scheduler: str | None,
        *,
        folder: str | os.PathLike[str] | None,
        cache: bool,
        progress: bool,
        read: Callable[[Path], Read],
    ) -> Read:
        """Run the study of a file and return what is read; parameters and errors as `trivium.Study.run`."""


def _calibration(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    return content


def _several(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
