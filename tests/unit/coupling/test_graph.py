"""The order of components and what is torn."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.coupling.graph import Edge, arrange


def edges(*pairs):
    return [Edge((source,), target) for source, target in pairs]


def test_a_pair_is_torn_once_and_evaluated_in_the_order_given():
    order = arrange(["a", "b"], edges(("a", "b"), ("b", "a")), "gauss-seidel")
    assert order.levels == (("a",), ("b",))
    assert order.torn == (1,)
    assert order.cyclic == (0, 1)


def test_jacobi_tears_all_of_a_cycle_and_nothing_else():
    order = arrange(["a", "b", "c"], edges(("a", "b"), ("b", "a"), ("b", "c")), "jacobi")
    assert order.torn == (0, 1)
    assert order.levels == (("a", "b"), ("c",))


def test_what_is_cheap_is_torn():
    costly = [Edge(("a",), "b", 1.0), Edge(("b",), "a", 100.0)]
    order = arrange(["a", "b"], costly, "gauss-seidel")
    assert order.torn == (0,)
    assert order.levels == (("b",), ("a",))


def test_a_component_that_feeds_itself_is_torn_there():
    order = arrange(["a"], edges(("a", "a")), "gauss-seidel")
    assert order.torn == (0,)
    assert order.levels == (("a",),)


def test_without_a_cycle_nothing_is_torn():
    for scheme in ("gauss-seidel", "jacobi"):
        order = arrange(["c", "b", "a"], edges(("a", "b"), ("b", "c")), scheme)
        assert order.torn == ()
        assert order.levels == (("a",), ("b",), ("c",))


def test_components_between_the_same_two_are_evaluated_at_the_same_time():
    pairs = [("grid", "north"), ("grid", "south"), ("north", "grid"), ("south", "grid")]
    order = arrange(["grid", "north", "south"], edges(*pairs), "gauss-seidel")
    assert order.levels == (("grid",), ("north", "south"))
    assert order.torn == (2, 3)


def test_a_value_that_is_made_of_two_outputs_waits_for_both():
    order = arrange(["a", "b", "c"], [Edge(("a", "b"), "c"), Edge(("c",), "a")], "gauss-seidel")
    assert order.levels == (("a", "b"), ("c",))
    assert order.torn == (1,)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_the_tear_is_the_least_feedback_arc_set(n, drawn):
    nodes = list("abcde"[:n])
    pairs = [(nodes[i], nodes[j]) for i, j in sorted(drawn) if i < n and j < n]
    order = arrange(nodes, edges(*pairs), "gauss-seidel")
    level = {node: place for place, names in enumerate(order.levels) for node in names}
    assert sorted(level) == nodes
    for i, (source, target) in enumerate(pairs):
        if i not in order.torn:
            assert level[source] < level[target]
    least = min(
        sum(way.index(source) >= way.index(target) for source, target in pairs) for way in itertools.permutations(nodes)
    )
    assert len(order.torn) == least


@pytest.mark.parametrize("n", [9, 12])
def test_large_cycles_are_torn_so_that_an_order_is_left(n):
    nodes = [f"n{i}" for i in range(n)]
    ring = [(nodes[i], nodes[(i + 1) % n]) for i in range(n)]
    order = arrange(nodes, edges(*ring), "gauss-seidel")
    assert len(order.torn) == 1
    assert len(order.levels) == n
