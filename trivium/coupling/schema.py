"""What a table must look like: pydantic models whose fields are columns, so that an error names column and row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from trivium.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd

#: Rows that an error names; the rest is counted.
_NAMED = 3


class Columns(BaseModel):
    """A table by columns: each field is a list, all of one length.

    The fields of a subclass say which columns there are, of which type and within which bounds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_one_length(self) -> Self:
        lengths = {name: len(column) for name, column in self if isinstance(column, list)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {', '.join(f'{n} {k}' for n, k in lengths.items())}")
        return self

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, label: str = "table", **single: Any) -> Self:
        """Read a frame.

        Parameters
        ----------
        frame : DataFrame
        label : str
            What the frame is, for errors.
        **single
            Fields that are no columns.

        Raises
        ------
        InvalidValueError
            Naming columns and rows, counted from 0.
        """
        try:
            return cls.model_validate({str(name): frame[name].tolist() for name in frame.columns} | single)
        except ValidationError as error:
            raise InvalidValueError(f"{label}: {explain(error)}", label) from error


def explain(error: ValidationError) -> str:
    """Return what pydantic found wrong with a table, as columns and rows."""
    sentences = []
    for detail in error.errors()[:_NAMED]:
        place = detail["loc"]
        if not place:
            sentences.append(detail["msg"])
        elif len(place) == 1:
            sentences.append(f"column {place[0]}: {detail['msg']}")
        else:
            sentences.append(f"column {place[0]}, row {place[1]}: {detail['msg']} (is {detail['input']!r})")
    beyond = error.error_count() - len(sentences)
    return "; ".join(sentences) + (f"; and {beyond} more" if beyond > 0 else "")


@lru_cache(maxsize=256)
def long_table(
    dims: tuple[str, ...], integers: frozenset[str], lower: float | None, upper: float | None
) -> type[Columns]:
    """Return the schema of a long table: dimensions, then VALUE within bounds.

    Parameters
    ----------
    dims : tuple of str
    integers : frozenset of str
        Dimensions whose coordinates are whole numbers, such as years; others may be texts too.
    lower, upper : float or None
        Bounds of VALUE, both allowed.
    """
    fields: dict[str, Any] = {name: (list[int] if name in integers else list[int | float | str], ...) for name in dims}
    fields["VALUE"] = (list[Annotated[float, Field(ge=lower, le=upper, allow_inf_nan=False)]], ...)
    return create_model("LongTable", __base__=Columns, **fields)


def check(
    frame: pd.DataFrame,
    label: str,
    dims: Sequence[str] | None = None,
    integers: Sequence[str] = (),
    lower: float | None = None,
    upper: float | None = None,
) -> None:
    """Check a long table: its columns, finite values within bounds, every coordinate once.

    Parameters
    ----------
    frame : DataFrame
    label : str
        What it is, for errors.
    dims : sequence of str, optional
        Dimensions it must have, and no others; by default those it has.
    integers : sequence of str
        Dimensions of whole numbers.
    lower, upper : float, optional
        Bounds of VALUE.

    Raises
    ------
    InvalidValueError
        Naming column and row.
    """
    from trivium.coupling import frames

    names = tuple(frames.dims(frame) if dims is None else dims)
    long_table(names, frozenset(integers) & frozenset(names), lower, upper).from_frame(frame, label)
    if names:
        try:
            frames.refuse(frame, names[-1], frame.duplicated(list(names)), "is there twice")
        except InvalidValueError as error:
            raise InvalidValueError(f"{label}: {error}", label) from error
    elif len(frame) != 1:
        raise InvalidValueError(f"{label}: a table without dimensions has one row, not {len(frame)}", label)
