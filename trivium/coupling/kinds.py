"""The transforms that a chain may be made of: pydantic models with their parameters, chosen by ``kind``.

The functions are those of `trivium.coupling.frames`; `trivium.coupling.transform` runs chains.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trivium.coupling import units
from trivium.model.variable import Coordinate

if TYPE_CHECKING:
    import pandas as pd

Finite = Annotated[float, Field(allow_inf_nan=False)]
How = Literal["sum", "mean", "min", "max"]


class Table(NamedTuple):
    """A long table and the unit of its values."""

    frame: pd.DataFrame
    unit: str


class File(BaseModel):
    """A table from a CSV file, in the columns of OSeMOSYS or of MUIO."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path
    unit: str


#: A table besides the one that is transformed: an output ``component.variable``, or a file.
Other = str | File


class Base(BaseModel):
    """What all transforms share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Dimensions that must hold whole numbers.
    integers: ClassVar[tuple[str, ...]] = ()


class Unary(Base):
    """Of one table."""

    def run(self, table: Table) -> Table:
        """Return the table transformed."""
        raise NotImplementedError


class Binary(Base):
    """Of two tables, the second one by name."""

    by: Other

    def run(self, table: Table, operand: Table) -> Table:
        """Return the table transformed with another one."""
        raise NotImplementedError


class Select(Unary):
    """Keep the rows with these coordinates."""

    kind: Literal["select"]
    keep: dict[str, list[Coordinate]]

    def run(self, table: Table) -> Table:
        """Return the rows kept."""
        return Table(_frames().select(table.frame, self.keep), table.unit)


class Aggregate(Unary):
    """Sum (or average, ...) dimensions away."""

    kind: Literal["aggregate"]
    over: list[str] = Field(min_length=1)
    how: How = "sum"

    def run(self, table: Table) -> Table:
        """Return the table without these dimensions."""
        return Table(_frames().aggregate(table.frame, self.over, self.how), table.unit)


class Group(Unary):
    """Put coordinates together under new names, such as fuels into sectors."""

    kind: Literal["group"]
    dim: str
    to: str
    groups: dict[str, list[Coordinate]]
    how: How = "sum"

    def run(self, table: Table) -> Table:
        """Return the table by groups."""
        return Table(_frames().group(table.frame, self.dim, self.to, self.groups, self.how), table.unit)


class Spread(Unary):
    """Give each coordinate's value to its members, such as an industry's to the fuels that it uses."""

    kind: Literal["spread"]
    dim: str
    to: str
    members: dict[str, Annotated[list[Coordinate], Field(min_length=1)]]

    def run(self, table: Table) -> Table:
        """Return the table by members."""
        return Table(_frames().spread(table.frame, self.dim, self.to, self.members), table.unit)


class Expand(Unary):
    """Add a dimension along which the values are constant."""

    kind: Literal["expand"]
    dim: str
    coordinates: list[Coordinate] = Field(min_length=1)

    def run(self, table: Table) -> Table:
        """Return the table with the dimension."""
        return Table(_frames().expand(table.frame, self.dim, self.coordinates), table.unit)


class Index(Unary):
    """Divide by the values at a base year; the result has no unit."""

    kind: Literal["index"]
    base: int
    dim: str = "year"
    integers: ClassVar[tuple[str, ...]] = ("year",)

    def run(self, table: Table) -> Table:
        """Return the index, 1 at the base year."""
        return Table(_frames().index(table.frame, self.base, self.dim), "1")


class Ratio(Binary):
    """Divide by another table: reform by base, cost by quantity."""

    kind: Literal["ratio"]

    def run(self, table: Table, operand: Table) -> Table:
        """Return the quotient."""
        return Table(_frames().combine(table.frame, operand.frame, "divide"), units.quotient(table.unit, operand.unit))


class Multiply(Binary):
    """Multiply by another table: a ratio by what it is a ratio to."""

    kind: Literal["multiply"]

    def run(self, table: Table, operand: Table) -> Table:
        """Return the product."""
        return Table(_frames().combine(table.frame, operand.frame, "multiply"), units.product(table.unit, operand.unit))


class Add(Binary):
    """Add another table of the same dimensions; what is in one of them only counts as zero in the other."""

    kind: Literal["add"]

    def run(self, table: Table, operand: Table) -> Table:
        """Return the sum, in the unit of the first."""
        return Table(_frames().add(table.frame, convert(operand, table.unit).frame), table.unit)


class Elasticity(Unary):
    """Raise ratios to the power of an elasticity, one for all or one by sector."""

    kind: Literal["elasticity"]
    of: Finite | dict[str, Finite]
    dim: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if isinstance(self.of, dict) != (self.dim is not None):
            raise ValueError("dim belongs to elasticities by coordinate, which need it")
        return self

    def run(self, table: Table) -> Table:
        """Return the ratios' responses."""
        ratio = convert(table, "1")
        return Table(_frames().elasticity(ratio.frame, self.of, self.dim), "1")


class Convert(Unary):
    """Convert the unit."""

    kind: Literal["convert"]
    to: str

    def run(self, table: Table) -> Table:
        """Return the table in the unit."""
        return convert(table, self.to)


class Interpolate(Unary):
    """Values at other years, on straight lines."""

    kind: Literal["interpolate"]
    at: list[int] = Field(min_length=1)
    dim: str = "year"
    hold: bool = False
    integers: ClassVar[tuple[str, ...]] = ("year",)

    def run(self, table: Table) -> Table:
        """Return the table at these years."""
        return Table(_frames().interpolate(table.frame, self.at, self.dim, self.hold), table.unit)


class Scale(Unary):
    """Multiply by a number, which may have a unit, and add a number in the unit that results."""

    kind: Literal["scale"]
    factor: Finite = 1.0
    unit: str = "1"
    offset: Finite = 0.0

    def run(self, table: Table) -> Table:
        """Return factor * VALUE + offset."""
        scaled = table.frame.assign(VALUE=table.frame["VALUE"] * self.factor + self.offset)
        return Table(scaled, units.product(table.unit, self.unit))


class Clip(Unary):
    """Bring values within bounds, given in the table's unit."""

    kind: Literal["clip"]
    lower: Finite | None = None
    upper: Finite | None = None

    def run(self, table: Table) -> Table:
        """Return the table within the bounds."""
        return Table(table.frame.assign(VALUE=table.frame["VALUE"].clip(self.lower, self.upper)), table.unit)


class Discount(Unary):
    """Present values at a base year."""

    kind: Literal["discount"]
    rate: Annotated[float, Field(gt=-1, allow_inf_nan=False)]
    base: int
    dim: str = "year"
    integers: ClassVar[tuple[str, ...]] = ("year",)

    def run(self, table: Table) -> Table:
        """Return VALUE / (1 + rate)^(year - base)."""
        return Table(_frames().discount(table.frame, self.rate, self.base, self.dim), table.unit)


class Annualise(Unary):
    """Investments as equal yearly payments over lives [years]."""

    kind: Literal["annualise"]
    rate: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    life: Annotated[float, Field(ge=1)] | dict[str, Annotated[float, Field(ge=1)]]
    dim: str = "technology"
    integers: ClassVar[tuple[str, ...]] = ("year",)

    def run(self, table: Table) -> Table:
        """Return the payments of each year."""
        return Table(_frames().annualise(table.frame, self.rate, self.life, self.dim), table.unit)


Transform = Annotated[
    Select
    | Aggregate
    | Group
    | Spread
    | Expand
    | Index
    | Ratio
    | Multiply
    | Add
    | Elasticity
    | Convert
    | Interpolate
    | Scale
    | Clip
    | Discount
    | Annualise,
    Field(discriminator="kind"),
]


def convert(table: Table, unit: str) -> Table:
    """Return a table in another unit."""
    if table.unit == unit:
        return table
    values = units.convert(table.frame["VALUE"].to_numpy(), table.unit, unit)
    return Table(table.frame.assign(VALUE=values), unit)


def _frames() -> Any:
    from trivium.coupling import frames

    return frames
