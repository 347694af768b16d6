"""Each task of a researcher is done by a test in a real browser, by mouse and by keyboard alone."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.tasks import TASKS

#: What a test of the keyboard calls of the browser.
_KEYS = {"press", "tab_to", "keys"}
#: What a test of the mouse calls.
_CLICKS = {"click", "confirm", "click_within", "choose", "double_click"}


@cache
def called(name: str) -> frozenset[str]:
    """Return the methods that a test calls, none where there is no such test with a browser."""
    module, _, function = name.partition("::")
    tree = ast.parse(Path(__file__).with_name(f"test_{module}.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function and node.args.args[0].arg == "browser":
            return frozenset(each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute))
    return frozenset()


def test_the_17_tasks_are_named():
    assert [*TASKS] == [*range(1, 18)]


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.words)
def test_a_task_is_done_by_mouse_and_by_keyboard_alone(task):
    assert task.mouse
    assert task.keyboard
    assert all(called(name) for name in (*task.mouse, *task.keyboard))
    assert any(called(name) & _CLICKS for name in task.mouse)
    assert all(called(name) & _KEYS for name in task.keyboard)
