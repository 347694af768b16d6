"""Whether the connections of a cycle are alive: an iteration over dead ones ends at once and means nothing.

A residual of zero shows a fixed point of what was computed, which may not be what was meant: results that are read from
a stale file, a demand that is clipped, an output that nobody connected to the model. So a fixed point counts only where
every connection of a cycle responds: some change of its sources' inputs of at most 10 % (``probe`` of the case) changes
its value, by at least a millionth of that change. Both are relative to the magnitudes of the variables.

The iterations near the fixed point usually show it. Where they do not, because an output is the same bit by bit in all
of them, the sources are evaluated twice more, with all their connected inputs 10 % greater and 10 % smaller. So a
plateau of a linear program that is narrower than that is alive, and a demand that is clipped by more than that is dead,
though it may have moved earlier. Where a wider plateau is meant, the connection says ``"alive": false``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from trivium.coupling.connection import Link
from trivium.coupling.evaluation import Evaluator
from trivium.coupling.problem import Problem
from trivium.coupling.record import Evaluation
from trivium.errors import ComponentError
from trivium.model.contract import FloatArray

#: Least response over change, both relative.
_GAIN = 1e-6
#: Changes below this show nothing: the response would be rounding.
_LEAST = 1e-8

Evaluations = Mapping[str, Evaluation]


def dead(problem: Problem, evaluator: Evaluator, history: Sequence[Evaluations], number: int) -> list[Link]:
    """Return the connections that are dead at the last of some evaluations.

    Parameters
    ----------
    problem : Problem
    evaluator : Evaluator
        For probes.
    history : sequence of Mapping[str, Evaluation]
        The evaluations of iterations, by component, the last at the point in question.
    number : int
        Of the last iteration.
    """
    here = history[-1]
    dead_links = []
    for place in problem.order.cyclic:
        link = problem.links[place]
        if not link.spec.alive:
            continue
        sources = tuple(dict.fromkeys(end.partition(".")[0] for end in link.spec.sources))
        fed = _fed(problem, sources)
        samples = (*history[-2::-1],)
        probes = (_probed(problem, evaluator, here, fed, sign, number) for sign in (1.0, -1.0))
        if not any(_responds(problem, link, fed, here, changed) for changed in _chained(samples, probes)):
            dead_links.append(link)
    return dead_links


def _chained(samples: Sequence[Evaluations], probes: Iterator[Evaluations | None]) -> Iterator[Evaluations]:
    yield from samples
    for probe in probes:
        if probe is not None:
            yield probe


def _fed(problem: Problem, sources: Sequence[str]) -> list[tuple[str, str]]:
    """Return the inputs of components that connections of cycles feed, as (component, input)."""
    ends = (problem.links[place].spec.target.partition(".") for place in problem.order.cyclic)
    return [(component, name) for component, _, name in ends if component in sources]


def _responds(
    problem: Problem, link: Link, fed: Sequence[tuple[str, str]], here: Evaluations, changed: Evaluations
) -> bool:
    changes = [_relative(here[c].inputs[n], changed[c].inputs[n]) for c, n in fed]
    change = max(changes, default=0.0)
    if not _LEAST <= change <= problem.case.probe * (1.0 + 1e-9):
        return False
    values = [link.value(_outputs(evaluations, link)) for evaluations in (here, changed)]
    return _relative(*values) >= _GAIN * change


def _outputs(evaluations: Evaluations, link: Link) -> dict[str, FloatArray]:
    ends = ((end, *end.split(".")) for end in link.spec.sources)
    return {end: evaluations[component].outputs[name] for end, component, name in ends}


def _relative(reference: FloatArray, value: FloatArray) -> float:
    size = float(np.abs(reference).max())
    return float(np.abs(value - reference).max()) / (size if size > 0.0 else 1.0)


def _probed(
    problem: Problem,
    evaluator: Evaluator,
    here: Evaluations,
    fed: Sequence[tuple[str, str]],
    sign: float,
    number: int,
) -> Evaluations | None:
    """Evaluate components with other inputs; None where one cannot be: bounds leave no room, or it fails there."""
    probed = dict(here)
    for component in dict.fromkeys(component for component, _ in fed):
        values = dict(here[component].inputs)
        for variable in problem.components[component].inputs:
            if (component, variable.name) in fed:
                value = values[variable.name]
                moved = value * (1.0 + sign * problem.case.probe) if value.any() else value + sign * problem.case.probe
                values[variable.name] = np.clip(moved, variable.lower, variable.upper)
        label = f"{component} probe {'+' if sign > 0 else '-'}"
        try:
            probed[component] = evaluator.probe(component, values, label, number)
        except ComponentError:
            return None
    return probed
