"""Coupled cases for tests: linear maps, split over two or more components, and the programs that are them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from trivium.coupling.evaluation import Evaluator
from trivium.coupling.loop import converge
from trivium.coupling.problem import prepare
from trivium.coupling.record import Record
from trivium.coupling.spec import Case
from trivium.settings import Settings
from trivium.storage import Cache

#: Modules beside a case: a linear map y = A x + b, and what goes wrong.
MODULE = """
import json, os, pathlib, signal, sys, time
import numpy as np

def linear(inputs, options):
    log = options.get("log")
    if log:
        with open(log, "a") as file:
            file.write(options.get("name", "") + "\\n")
    time.sleep(options.get("pause", 0))
    x = np.concatenate([np.ravel(inputs[name]) for name in sorted(inputs)])
    y = np.array(options["a"]) @ x + np.array(options["b"])
    return {"y": y.reshape(options.get("shape", y.shape))}

def wrong(inputs, options):
    how = options["how"]
    if how == "raise":
        raise ValueError("the model has no answer")
    if how == "exit":
        print("on my way out", file=sys.stderr, flush=True)
        os._exit(9)
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "hang":
        time.sleep(600)
    return {"y": {"nan": np.full(1, np.nan), "shape": np.zeros(3), "bound": np.full(1, -5.0), "text": "many",
                  "digits": "3.0", "complex": np.array([1j]), "ragged": [[1.0], [1.0, 2.0]],
                  "object": np.array([None]), "nothing": None}[how]} if how not in ("missing", "extra") else (
            {} if how == "missing" else {"y": np.zeros(1), "z": np.zeros(1)})

def describe(options):
    from trivium.model.variable import Variable
    dims = {"year": tuple(options["years"])}
    return (Variable("x", "m", dims=dims, minimum=0.0),), (Variable("y", "m", dims=dims),)

def same(inputs, options):
    return {"y": 0.5 * inputs["x"] + 1.0}
"""


def component(a, b, **options):
    """Return a component of a linear map of its single input x, in this process."""
    n = len(b)
    return {
        "kind": "python",
        "callable": "coupled:linear",
        "process": False,
        "options": {"a": np.asarray(a).tolist(), "b": np.asarray(b).tolist(), **options},
        "inputs": {"x": {"dims": {"i": n}, "initial": 0}},
        "outputs": {"y": {"dims": {"i": n}}},
    }


def pair(a, b, c, d, **settings):
    """Return two linear maps that feed each other: y1 = a x1 + b, y2 = c x2 + d, x1 = y2, x2 = y1."""
    return {
        "components": {"one": component(a, b), "two": component(c, d)},
        "connections": [{"from": "one.y", "to": "two.x"}, {"from": "two.y", "to": "one.x"}],
        "tolerance": 1e-10,
        "max_iterations": 500,
        **settings,
    }


def fixed_point(a, b, c, d):
    """Return the outputs of both maps at the fixed point, from one linear system."""
    n = len(b)
    system = np.block([[np.eye(n), -np.asarray(a)], [-np.asarray(c), np.eye(n)]])
    return np.split(np.linalg.solve(system, np.concatenate([b, d])), 2)


def put(folder: Path, case: dict) -> Path:
    """Write a case with its module into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "coupled.py").write_text(MODULE)
    (folder / "case.json").write_text(json.dumps(case))
    return folder / "case.json"


def settings_of(state_dir: Path) -> Settings:
    return Settings(environ={"TRIVIUM_STATE_DIR": str(state_dir)})


def run(folder: Path, case: dict, out: Path | None = None, *, cached: bool = False, watch=lambda _: None):
    """Run a case without plots; return problem and result."""
    put(folder, case)
    settings = settings_of(folder / "state")
    problem = prepare(Case.model_validate(case), folder, settings)
    out = out or folder / "out"
    record = Record(out, problem.identity)
    cache = Cache(folder / "state" / "cache.sqlite") if cached else None
    try:
        return problem, converge(problem, record, Evaluator(problem, record, cache, out / "work"), watch)
    finally:
        record.close()
        if cache is not None:
            cache.close()
