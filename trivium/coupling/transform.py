"""What happens to a variable on its way from one model to another: a chain of transforms, as a case file writes them.

`apply` runs a chain on a table and its unit. Before and after each transform the table is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trivium.coupling import schema
from trivium.coupling.kinds import Binary, File, Other, Table, Transform, convert
from trivium.errors import InvalidValueError
from trivium.experiment.runner import inside

__all__ = ["File", "Other", "Table", "Transform", "apply", "convert", "files", "references"]


def references(chain: Sequence[Transform]) -> tuple[str, ...]:
    """Return the outputs ``component.variable`` that a chain needs besides the one that it transforms."""
    return tuple(dict.fromkeys(step.by for step in chain if isinstance(step, Binary) and isinstance(step.by, str)))


def files(chain: Sequence[Transform]) -> tuple[str, ...]:
    """Return the files that a chain reads."""
    return tuple(str(step.by.file) for step in chain if isinstance(step, Binary) and isinstance(step.by, File))


def apply(
    chain: Sequence[Transform], table: Table, outputs: Mapping[str, Table] | None = None, folder: Path = Path()
) -> Table:
    """Run a chain of transforms.

    Parameters
    ----------
    chain : sequence of Transform
    table : Table
        Not changed.
    outputs : mapping of str to Table
        The outputs that `references` names.
    folder : Path
        What file names are relative to.

    Returns
    -------
    Table

    Raises
    ------
    InvalidValueError
        Naming the transform by its place (from 0) and kind, and the column and row that are wrong.
    ComponentError
        When a file's name leads out of the folder.
    MissingExtraError
        When pandas or pint is not installed.
    """
    for place, step in enumerate(chain):
        label = f"transform {place} ({step.kind})"
        schema.check(table.frame, f"{label}, what comes in", integers=step.integers)
        try:
            if isinstance(step, Binary):
                table = step.run(table, _operand(step.by, outputs or {}, folder))
            else:
                table = step.run(table)
        except InvalidValueError as error:
            raise InvalidValueError(f"{label}: {error}", error.field) from error
        schema.check(table.frame, f"{label}, what comes out", integers=step.integers)
    return table


def _operand(operand: Other, outputs: Mapping[str, Table], folder: Path) -> Table:
    if isinstance(operand, File):
        from trivium.coupling.tables import read

        return Table(read(inside(folder, str(operand.file))), operand.unit)
    if operand not in outputs:
        raise InvalidValueError(f"there is no output {operand}", operand)
    return outputs[operand]
