"""A coupled case as its author writes it: a JSON file, checked before anything runs; docs/coupling.md has the form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from trivium.coupling import folders
from trivium.coupling.profile import completed
from trivium.coupling.transform import Transform, references
from trivium.document import END, listing, read_document, wrong_fields
from trivium.errors import InvalidValueError
from trivium.experiment.spec import Component, Name, Part, Positive

Alpha = Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)]
End = Annotated[str, Field(pattern=END)]
MethodName = Literal["constant", "aitken", "anderson", "iqn-ils", "newton-krylov"]
Depth = Annotated[int, Field(ge=1, le=1000)]
Patience = Annotated[int, Field(ge=2, le=10**6)]

#: What the seed has: the tolerance and the most iterations where a case does not say.
TOLERANCE, ITERATIONS = 1e-4, 20


class Connection(Part):
    """An output that becomes an input, perhaps after transforms; `alive` says that it must respond."""

    source: End = Field(alias="from")
    target: End = Field(alias="to")
    transform: list[Transform] = Field([])
    alive: bool = True

    @property
    def sources(self) -> tuple[str, ...]:
        """All outputs that the value is made of, as ``component.output``."""
        return tuple(dict.fromkeys((self.source, *references(self.transform))))


class Case(Part):
    """A coupled case; `load_case` reads one."""

    components: Annotated[dict[Name, Component], Field(min_length=1)]
    connections: list[Connection] = Field([])
    scheme: Literal["gauss-seidel", "jacobi"] = "gauss-seidel"
    method: MethodName | None = None
    alpha: Alpha | None = None
    depth: Depth | None = None
    tolerance: Positive = TOLERANCE
    max_iterations: Annotated[int, Field(ge=1, le=10**6)] = ITERATIONS
    patience: Patience | None = None
    probe: Annotated[float, Field(gt=0, lt=1)] = 0.1
    profile: Literal["pr24"] | None = None
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _has_defaults(cls, content: Any) -> Any:
        return completed(content) if isinstance(content, dict) and content.get("profile") == "pr24" else content

    @model_validator(mode="after")
    def _is_connected(self) -> Case:
        targets: set[str] = set()
        for place, connection in enumerate(self.connections):
            for end in (*connection.sources, connection.target):
                if end.partition(".")[0] not in self.components:
                    raise ValueError(f"connections.{place}: there is no component {end.partition('.')[0]}")
            if connection.target in targets:
                raise ValueError(f"connections.{place}: {connection.target} has a connection already")
            targets.add(connection.target)
        return self

    def with_settings(self, **settings: Any) -> Case:
        """Return the case with other settings; those that are None stay as they are.

        Raises
        ------
        InvalidValueError
            Naming the field that is wrong.
        """
        changes = {name: value for name, value in settings.items() if value is not None}
        if "alpha" in changes and "method" not in changes:  # as where a case has alpha alone
            changes["method"] = "constant"
        try:
            return Case.model_validate({**self.model_dump(by_alias=True), **changes})
        except ValidationError as error:
            field, reason = next(wrong_fields(error, Case))
            raise InvalidValueError(f"{field or 'case'}: {reason}", field or "case") from error


def load_case(path: Path) -> Case:
    """Read a case.

    Parameters
    ----------
    path : Path
        The file, or the folder that has it as ``case.json``.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong.
    """
    file = case_file(path)
    content = read_document(file, "case")
    if isinstance(content, dict) and content.keys() & {"simulation", "experiment"}:
        raise InvalidValueError(f"{path} is a study, not a coupled case; run it with: trivium sweep {path}", "case")
    if isinstance(content, dict) and "components" not in content and file.name != "case.json":
        hint = folders.describe(file.parent)
        raise InvalidValueError(f"{path} is no coupled case: it has no components.{f' {hint}' if hint else ''}", "case")
    try:
        return Case.model_validate(content)
    except ValidationError as error:
        raise listing(path, error, Case, "case") from error


def case_file(path: Path) -> Path:
    """Return the file of a case that is named by its file or folder."""
    return path / "case.json" if path.is_dir() else path
