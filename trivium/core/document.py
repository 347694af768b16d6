"""JSON documents that people write: read, and what is wrong with them in sentences that name the place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from trivium.core.numbers import shown
from trivium.errors import InvalidValueError
from trivium.suggestions import did_you_mean


def read_document(path: Path, field: str) -> Any:
    """Return the content of a JSON file.

    Parameters
    ----------
    path : Path
    field : str
        What the document is, for the error: ``study``.

    Raises
    ------
    InvalidValueError
        When it cannot be read, is no JSON (with line and column), or names a field twice in one object.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_doubles)
    except OSError as error:
        raise InvalidValueError(f"{path} cannot be read: {error.strerror}", field) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidValueError(f"{path} is no JSON: {error.msg} at {place}", field) from error
    except ValueError as error:
        raise InvalidValueError(f"{path} is no JSON: {error}", field) from error


def listing(path: Path, error: ValidationError, model: type[BaseModel], document: str) -> InvalidValueError:
    """Return the error about a document, with a line for every field that is wrong.

    Parameters
    ----------
    path : Path
        Of the document.
    error : ValidationError
    model : type of BaseModel
        What the document was checked against.
    document : str
        What the document is: ``study``.
    """
    reasons = [(field or document, reason) for field, reason in wrong_fields(error, model)]
    lines = [f"  {field}: {reason}" for field, reason in reasons]
    return InvalidValueError("\n".join([f"{path.name} cannot be run:", *lines]), reasons[0][0])


def wrong_fields(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yield every field that is wrong, as ``a.b``, and why; the field is empty where several are meant."""
    for each in error.errors(include_url=False):
        reason = str(each["msg"]).removeprefix("Value error, ")
        reason = (reason[:1].lower() + reason[1:]).replace("input should", "must")
        if each["type"] == "extra_forbidden":
            reason = f"there is no such field.{near_fields(model, each['loc'])}"
        elif each["type"] == "missing":
            reason = "is missing"
        elif "input" in each and isinstance(each["input"], (str, int, float)) and each["loc"]:
            reason = f"{reason}, not {shown(each['input'])}"
        yield ".".join(map(str, each["loc"])), reason


def near_fields(model: type[BaseModel], location: Sequence[int | str]) -> str:
    """Return a suggestion for a field that a model does not have.

    Parameters
    ----------
    model : type of BaseModel
        Of the whole document.
    location : sequence of int or str
        Where the field is in it, its name last.
    """
    *way, name = location
    places: list[Any] = [model]
    for part in way:
        # a step that leads nowhere is the tag of a union, which pydantic puts into the location
        places = [inner for place in places for inner in _inside(place, str(part))] or places
    names = dict.fromkeys(field for place in places for each in _models(place) for field in _fields(each))
    return did_you_mean(str(name), names)


def _inside(annotation: Any, part: str) -> list[Any]:
    """Return what a part of a location leads to."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = _fields(annotation)
        return [fields[part]] if part in fields else []
    arguments = get_args(annotation)
    if getattr(annotation, "__origin__", None) in (dict, list, tuple):
        return [arguments[-1]]
    return [inner for argument in arguments for inner in _inside(argument, part)]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a value of a type may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif getattr(annotation, "__origin__", None) not in (dict, list, tuple):
        for argument in get_args(annotation):
            yield from _models(argument)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return the types of a model's fields by the names that a document uses."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{', '.join(doubled)} stands there twice")
    return dict(pairs)
