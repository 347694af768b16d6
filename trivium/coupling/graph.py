"""In which order components are evaluated, and which connections are torn: their values are what is iterated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

#: Components of one cycle up to which every order is tried.
_ALL_ORDERS = 7


@dataclass(frozen=True)
class Edge:
    """A connection as the graph sees it.

    Attributes
    ----------
    sources : tuple of str
        Components that its value is made of.
    target : str
    cost : float
        What tearing it costs.
    """

    sources: tuple[str, ...]
    target: str
    cost: float = 1.0


@dataclass(frozen=True)
class Order:
    """How a graph is evaluated.

    Attributes
    ----------
    levels : tuple of tuple of str
        Components of a level may be evaluated at the same time, the levels one after the other.
    torn : tuple of int
        The connections whose values are iterated, by their place.
    cyclic : tuple of int
        All connections that are parts of a cycle.
    """

    levels: tuple[tuple[str, ...], ...]
    torn: tuple[int, ...]
    cyclic: tuple[int, ...]


def arrange(nodes: Sequence[str], edges: Sequence[Edge], scheme: Literal["gauss-seidel", "jacobi"]) -> Order:
    """Find an order.

    Jacobi tears every connection of a cycle, so that all its components take the values of the iteration before.
    Gauss-Seidel tears as cheaply as can be: of all orders of a cycle's components (of more than seven: of those that
    moving single components leads to) the one whose backward connections cost least, at equal cost the first in the
    order of ``nodes``.
    """
    cycle_of = _cycles(nodes, edges)
    inner = [i for i, e in enumerate(edges) if any(cycle_of[s] == cycle_of[e.target] for s in e.sources)]
    if scheme == "jacobi":
        torn = inner
    else:
        torn = []
        for members in dict.fromkeys(cycle_of.values()):
            connections = [i for i in inner if cycle_of[edges[i].target] == members]
            order = _cheapest(members, [edges[i] for i in connections])
            torn += [i for i in connections if _is_backward(edges[i], order)]
    intact = [edge for i, edge in enumerate(edges) if i not in torn]
    return Order(_levels(nodes, intact), tuple(sorted(torn)), tuple(inner))


def _is_backward(edge: Edge, order: Sequence[str]) -> bool:
    place = order.index(edge.target)
    return any(source in order and order.index(source) >= place for source in edge.sources)


def _cheapest(members: Sequence[str], edges: Sequence[Edge]) -> tuple[str, ...]:
    def cost(order: Sequence[str]) -> float:
        return sum(edge.cost for edge in edges if _is_backward(edge, order))

    if len(members) <= _ALL_ORDERS:
        return min(permutations(members), key=cost)
    best = tuple(members)
    while True:
        moved = [_moved(best, i, j) for i in range(len(best)) for j in range(len(best)) if i != j]
        candidate = min(moved, key=cost)
        if cost(candidate) >= cost(best):
            return best
        best = candidate


def _moved(order: tuple[str, ...], i: int, j: int) -> tuple[str, ...]:
    rest = [*order[:i], *order[i + 1 :]]
    rest.insert(j, order[i])
    return tuple(rest)


def _cycles(nodes: Sequence[str], edges: Sequence[Edge]) -> Mapping[str, tuple[str, ...]]:
    """Return of each node all nodes that it feeds and that feed it, in the order of the nodes."""
    after = {node: {edge.target for edge in edges if node in edge.sources} for node in nodes}
    reached = {node: _reachable(node, after) for node in nodes}
    return {
        node: tuple(
            member for member in nodes if member == node or (member in reached[node] and node in reached[member])
        )
        for node in nodes
    }


def _reachable(node: str, after: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    queue = [node]
    while queue:
        new = after[queue.pop()] - reached
        reached |= new
        queue += new
    return reached


def _levels(nodes: Sequence[str], edges: Sequence[Edge]) -> tuple[tuple[str, ...], ...]:
    left, levels = list(nodes), []
    while left:
        waiting = {edge.target for edge in edges if any(source in left for source in edge.sources)}
        level = tuple(node for node in left if node not in waiting)
        levels.append(level)
        left = [node for node in left if node not in level]
    return tuple(levels)
