"""Some runs of a sweep's results, as JSON or Parquet."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Response, request

from trivium.errors import InvalidValueError, NotFoundError, TooLargeError
from trivium.jobs.kinds import WITH_RUNS
from trivium.jobs.record import Job
from trivium.numbers import shown
from trivium.server import wire
from trivium.server.requests import RunsQuery

if TYPE_CHECKING:
    from trivium.study.read import SweepResults

PARQUET = "application/vnd.apache.parquet"
#: Most numbers of a reply.
_MOST = 2_000_000


def selection(job: Job, folder: Path, query: RunsQuery) -> Response:
    """Return runs of the results of a job.

    Parameters
    ----------
    job : Job
    folder : Path
        Of the job.
    query : RunsQuery

    Raises
    ------
    NotFoundError
        When the job has no results of runs, or none yet.
    InvalidValueError
        Naming what of the address is wrong.
    TooLargeError
        When that is more than a reply may hold.
    """
    if job.kind not in WITH_RUNS:
        raise NotFoundError(f"Job {job.task_id} is of the kind {job.kind}; only sweeps have runs to select.")
    results_folder = folder / "results"
    if not (results_folder / "study.sqlite").exists():
        cases = [path.parent.name for path in sorted(results_folder.glob("*/study.sqlite"))]
        if cases and query.case not in cases:
            raise InvalidValueError(
                f"Invalid value {shown(query.case)} for parameter case. The cases are: {', '.join(cases)}.", "case"
            )
        results_folder /= query.case if cases else "."
    elif query.case:
        raise InvalidValueError(f"Invalid value {shown(query.case)} for parameter case. There are none.", "case")
    if not (results_folder / "study.sqlite").exists():
        raise NotFoundError(f"Job {job.task_id} has no results on this machine, or none yet.")
    from trivium.study.choose import parse_choices
    from trivium.study.read import open_results  # brings h5py, which an extra may lack
    from trivium.study.selection import Selection

    variables = list(dict.fromkeys(query.variable))
    with open_results(results_folder) as results:
        for name in variables:
            if name not in results.variables:
                names = ", ".join(results.variables) or "none"
                raise InvalidValueError(
                    f"Invalid value {shown(name)} for parameter variable. There are trajectories of: {names}.",
                    "variable",
                )
        choose = results.failed if query.failed else results.select
        matching = choose(**parse_choices(query.select, results.texts)).runs
        if query.run:
            matching = np.intersect1d(matching, query.run)
        runs = Selection(results, matching[query.offset : query.offset + query.limit])
        columns = [*results.parameters, *results.metrics]
        numbers = len(runs) * (len(columns) + 1 + len(variables) * results.time.size)
        if numbers > _MOST:
            raise TooLargeError(
                f"{len(runs)} runs would be {numbers} numbers, and a reply holds {_MOST}; lower the parameter limit, "
                "choose fewer runs or variables, or download the files."
            )
        if _wants_parquet(query):
            return _parquet(runs, variables)
        return _json(runs, variables, matching.size, query.offset, failed=query.failed)


def _json(runs: Any, variables: list[str], total: int, offset: int, *, failed: bool) -> Response:
    results = runs.results
    payload: dict[str, Any] = {"total": total, "offset": offset, "run": runs.runs}
    payload["lost"] = [str(part) for part in results.lost]
    payload["warnings"] = results.warnings()
    payload["parameters"] = {name: _column(results, name, runs.runs) for name in results.parameters}
    payload["metrics"] = {name: results.column(name, runs.runs) for name in results.metrics}
    counts = {name: results.without_value(name, runs.runs) for name in results.metrics}
    payload["without_value"] = {name: {"runs": count, "reason": why} for name, (count, why) in counts.items() if count}
    if failed:
        reasons = results.failures
        payload["reasons"] = {str(run): reasons[run] for run in runs.runs.tolist()}
    if variables:
        payload["time"] = results.time
        payload["trajectories"] = {name: runs.trajectories(name) for name in variables}
    return wire.envelope(200, "Queried the runs successfully.", payload)


def _column(results: SweepResults, name: str, runs: Any) -> Any:
    """Return a parameter; texts as a list, which JSON can hold."""
    values = results.values(name, runs)
    return values.tolist() if name in results.texts else values


def _parquet(runs: Any, variables: list[str]) -> Response:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "selection.parquet"
        runs.export(path, trajectories=bool(variables), variables=variables or None)
        return Response(path.read_bytes(), content_type=PARQUET)


def _wants_parquet(query: RunsQuery) -> bool:
    if query.format is None:
        return request.accept_mimetypes.best_match(["application/json", PARQUET]) == PARQUET
    return query.format == "parquet"
