"""A study that grows in place: what was simulated is known by its parameters and keeps its place, the rest is missing.

The runs of the new plan that have results already are those with equal parameters, to the last bit. Runs that the
study no longer has stay where they are, and are there again when their values come back. Of anything else that
results depend on nothing may differ, but that the runs may last longer: then all run anew, and the results until then
are kept in a folder of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ConflictError
from trivium.model.contract import FloatArray
from trivium.study.job import Job
from trivium.study.places import Numbers, Places
from trivium.study.plan import Plan
from trivium.study.store import Store

#: Runs of a plan that are compared at a time.
_BLOCK = 2**16
#: Where results of a shorter horizon are kept, in the folder of the study.
_BEFORE = "before"
#: What an aspect is called in a refusal, where it is not a field of that name.
_NAMES = {
    "content": "the model",
    "fingerprint": "the experiment",
    "parameters": "the names in simulation_parameters",
    "kept": "simulation.variableFilter",
    "metrics": "metrics",
    "stored": "output",
    "inputs_hash": "simulation.inputs",
    "interpolate": "simulation.interpolate_inputs",
    "start": "simulation.start_time",
    "step": "simulation.step_size",
    "stop": "simulation.stop_time",
    "machine": "the kind of machine",
    "version": "the version of Trivium",
    "censored": "the version of Trivium",
}


def aspects(job: Job) -> dict[str, Any]:
    """Return all that the results of runs depend on besides the values of parameters, by name, as JSON holds it."""
    content = job.content()
    recipe = content.pop("experiment")
    derived = ("variables", "indicators", "native")  # of names, metrics and texts, which are there
    recipe = {name: value for name, value in recipe.items() if name not in derived}
    horizon = recipe.pop("horizon", {})
    if horizon:
        horizon["stop"] = horizon["start"] + horizon["step"] * horizon.pop("count")
    content |= {**horizon, **recipe, "parameters": sorted(job.parameters)}
    loaded: dict[str, Any] = json.loads(json.dumps(content))
    return loaded


def lasts_longer(stored: dict[str, str], job: Job) -> bool:
    """Return whether nothing but a longer time of the runs keeps a study from having the results that are stored."""
    before, after = json.loads(stored.get("aspects", "{}")), aspects(job)
    return _differing(before, after) == ["stop"] and after["stop"] > before["stop"]


def check(folder: Path, stored: dict[str, str], job: Job) -> None:
    """Refuse a study that cannot have the results that are stored.

    Raises
    ------
    ConflictError
        Naming what differs.
    """
    if "aspects" not in stored:
        raise ConflictError(f"{folder} holds results that an earlier version stored; choose another --out")
    differing = _differing(json.loads(stored["aspects"]), aspects(job))
    names = list(dict.fromkeys(_NAMES.get(name, f"simulation.{name}") for name in differing))
    texts = json.loads(stored["description"])["texts"]
    names += [
        f"simulation_parameters.{name} (further texts come after those before)"
        for name, each in job.texts
        if list(each[: len(texts.get(name, ()))]) != texts.get(name, [])
    ]
    if names:
        raise ConflictError(
            f"{folder} holds the results of a study that differs in {', '.join(names)}; choose another --out. In "
            "place, a study may change the values of its parameters and its sampling, and end later"
        )


def _differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]


def grow(store: Store, plan: Plan, job: Job, about: dict[str, str], say: Callable[[str], None]) -> None:
    """Give the runs of a plan the places of the results with their parameters, and new places to all others.

    Parameters
    ----------
    store : Store
        Checked with `check`.
    plan : Plan
    job : Job
    about : Mapping[str, str]
        What the study is from now on.
    say : callable
        Called with a sentence.

    Raises
    ------
    StorageError
        When nothing can be written; nothing is changed then.
    """
    before = store.places()
    places, rows = _stored(store, plan.names)
    of = _matched(plan, places, rows, same=job.recipe.deterministic)
    new = np.flatnonzero(of < 0)
    first = plan.first_equal() if job.recipe.deterministic else None
    if first is None:
        first = np.arange(plan.count)
    alone = new[first[new] == new]
    begin = -(-before.count // before.size) * before.size
    left = np.unique(_keys(rows)).size - np.unique(of[of >= 0]).size
    of[alone] = begin + np.arange(alone.size)
    of[new] = of[first[new]]
    count = begin + alone.size if alone.size else before.count
    store.move(Places(before.size, count, of), **about)
    rest = f"; {left} runs that it no longer has stay in the folder" if left else ""
    say(f"the study has changed: {plan.count - new.size} of its {plan.count} runs have results{rest}")


def _stored(store: Store, names: Sequence[str]) -> tuple[Numbers, FloatArray]:
    """Return the places with results, growing, and their parameters."""
    parts = sorted({*store.parts(), *store.loose_runs()})
    found = [store.rows(part, names) for part in parts]
    places = np.concatenate([np.empty(0, np.int64), *(each for each, _ in found)])
    rows = np.concatenate([np.empty((0, len(names))), *(each for _, each in found)])
    places, order = np.unique(places, return_index=True)
    return places, rows[order]


def _matched(plan: Plan, places: Numbers, rows: FloatArray, *, same: bool) -> Numbers:
    """Return the place with the parameters of each run, -1 where there is none.

    Parameters
    ----------
    plan : Plan
    places : array of int64, shape (k,)
    rows : FloatArray, shape (k, n_parameters)
    same : bool
        Whether equal parameters make equal results; else each run has a place of its own.
    """
    of = np.full(plan.count, -1, dtype=np.int64)
    if not places.size:
        return of
    keys, at = np.unique(_keys(rows), return_index=True)
    for start in range(0, plan.count, _BLOCK):
        end = min(start + _BLOCK, plan.count)
        sought = _keys(plan.rows(start, end))
        near = np.minimum(np.searchsorted(keys, sought), keys.size - 1)
        of[start:end] = np.where(keys[near] == sought, places[at[near]], -1)
    if not same:
        _, first = np.unique(of, return_index=True)
        again = np.ones(plan.count, dtype=bool)
        again[first] = False
        of[again] = -1
    return of


def _keys(rows: FloatArray) -> NDArray[np.void]:
    """Return a value for each row that can be compared as a whole."""
    normal = np.ascontiguousarray(np.concatenate([rows + 0.0, np.zeros((len(rows), 1))], axis=1))  # -0.0 is 0.0
    return normal.view(np.dtype((np.void, normal.dtype.itemsize * normal.shape[1]))).ravel()


def set_aside(folder: Path) -> Path:
    """Move the results in a folder, which nobody writes to, into one of their own in it; return that one."""
    finish_moving(folder)
    before = folder / _BEFORE
    number = 1 + max((int(path.name) for path in before.glob("*") if path.name.isdigit()), default=0)
    moving = before / f".{number}.moving"
    moving.mkdir(parents=True)
    return _moved(folder, moving)


def finish_moving(folder: Path) -> None:
    """Finish what was interrupted of `set_aside`."""
    for moving in (folder / _BEFORE).glob(".*.moving"):
        _moved(folder, moving)


def _moved(folder: Path, moving: Path) -> Path:
    for name in ("parts", "results.h5", "study.sqlite-wal", "study.sqlite"):  # what names the others goes last
        if (folder / name).exists() and not (moving / name).exists():
            (folder / name).rename(moving / name)
    return moving.rename(moving.with_name(moving.name.strip(".").removesuffix(".moving")))
