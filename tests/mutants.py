"""Change a room at random and find the changes that its unit tests do not notice.

``python -m tests.mutants trivium/evaluation --count 25 --seed 1`` copies the sources to a temporary folder, changes one
operator, comparison, constant or condition there, runs the unit tests of the room, and takes the change back. A change
after which all tests pass is a survivor: a test is missing, or the change means the same.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
#: How much longer than the unchanged sources a run of the tests may take.
PATIENCE = 5.0
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


class Mutant(NamedTuple):
    """A change: the file, its line, the line before and after, and the whole changed text."""

    path: Path
    line: int
    before: str
    after: str
    text: str


def _changes(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield nodes that can be changed, each with what takes its place."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.BinOp)
            and type(node.op) in _SWAPS
            and not isinstance(node.left, (ast.Constant, ast.JoinedStr))
        ) or isinstance(node, ast.BoolOp):
            yield node, _with(node, op=_SWAPS[type(node.op)]())
        elif isinstance(node, ast.Compare):
            for i, operator in enumerate(node.ops):
                if type(operator) in _SWAPS:
                    ops = [*node.ops]
                    ops[i] = _SWAPS[type(operator)]()  # type: ignore[call-overload]
                    yield node, _with(node, ops=ops)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, node.operand
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield node, ast.Constant(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            yield node, ast.Constant(node.value + 1)
        elif isinstance(node, ast.If):
            yield node.test, ast.UnaryOp(ast.Not(), node.test)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield the changes of a file, one expression each; annotations, subscripts of types and docstrings stay."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    tree = ast.parse(source)
    ignored = {inner for node in ast.walk(tree) for part in _fixed(node) for inner in ast.walk(part)}
    for node, changed in _changes(tree):
        if node in ignored or node.lineno != node.end_lineno:  # type: ignore[attr-defined]
            continue
        number = node.lineno - 1  # type: ignore[attr-defined]
        data = lines[number].encode()  # columns count bytes
        start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
        text = f"({ast.unparse(ast.fix_missing_locations(ast.Expression(changed)))})"  # type: ignore[arg-type]
        after = (data[:start] + text.encode() + data[end:]).decode()
        whole = "".join([*lines[:number], after, *lines[number + 1 :]])
        yield Mutant(path, number + 1, lines[number].strip(), after.strip(), whole)


def _fixed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is not changed: types, patterns, and formatted text, whose columns Python 3.11 counts otherwise."""
    if isinstance(node, (ast.JoinedStr, ast.pattern)):
        yield node
    for name in ("annotation", "returns"):
        if (part := getattr(node, name, None)) is not None:
            yield part


def _tests(room: Path) -> list[str]:
    """Return the unit tests of a room: its folder, or the file of a module."""
    inside = room.relative_to("trivium")
    place = Path("tests/unit") / (inside if room.suffix == "" else inside.with_name(f"test_{inside.stem}.py"))
    if not (ROOT / place).exists():
        sys.exit(f"{room} has no unit tests: there is no {place}")
    return [str(place)]


def _passes(folder: Path, tests: list[str], patience: float | None) -> bool:
    """Run tests in a copy of the sources; return whether all pass in time."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return False
    if patience is None and process.returncode:
        sys.exit(output.decode())
    return process.returncode == 0


def main() -> int:
    """Print the survivors; return 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room", type=Path, help="a folder or a module of trivium/")
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tests", nargs="*", help="instead of the room's unit tests")
    arguments = parser.parse_args()
    room, tests = arguments.room, arguments.tests or _tests(arguments.room)
    paths = sorted((ROOT / room).rglob("*.py")) if (ROOT / room).is_dir() else [ROOT / room]
    every = [mutant for path in paths for mutant in mutants(path)]
    sample = random.Random(arguments.seed).sample(every, min(arguments.count, len(every)))
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name) / "sources"
        listed = subprocess.run(
            ["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for source in filter(None, listed.stdout.split("\0")):
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / source, folder / source)
        started = time.monotonic()
        _passes(folder, tests, None)
        patience = 10.0 + PATIENCE * (time.monotonic() - started)
        survivors = []
        for mutant in sample:
            file = folder / mutant.path.relative_to(ROOT)
            original = file.read_text(encoding="utf-8")
            file.write_text(mutant.text, encoding="utf-8")
            survived = _passes(folder, tests, patience)
            file.write_text(original, encoding="utf-8")
            survivors += [mutant] if survived else []
            sys.stdout.write("s" if survived else ".")
            sys.stdout.flush()
    sys.stdout.write(f"\n{len(sample)} of {len(every)} changes tried, {len(survivors)} survived\n")
    for mutant in survivors:
        sys.stdout.write(f"{mutant.path.relative_to(ROOT)}:{mutant.line}\n  - {mutant.before}\n  + {mutant.after}\n")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())
