"""JSON documents that people write: read, and what is wrong with them in sentences that name the place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from trivium.errors import InvalidValueError
from trivium.numbers import shown
from trivium.suggestions import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

#: Patterns of fields, which `_PATTERNS` puts into words.
NAME = r"^[A-Za-z_]\w*$"
END = r"^[A-Za-z_]\w*\.[A-Za-z_]\w*$"
CALLABLE = r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$"
_PATTERNS = {
    NAME: "must be a name of letters, digits and underscores that does not begin with a digit",
    END: "must be of the form component.variable",
    CALLABLE: "must be of the form module:function",
}
#: Type of a pydantic error whose message is a whole sentence.
SENTENCE = "sentence"
_NUMBER, _WHOLE, _FLAG = "must be a number", "must be a whole number", "must be true or false"
_OBJECT, _LIST = "must be a JSON object", "must be a list"
#: What is wrong, by pydantic's type of the error; other types keep pydantic's words.
_REASONS = {
    "missing": "is missing",
    "union_tag_not_found": "is missing",
    "union_tag_invalid": "must be one of {expected_tags}",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "too_short": "has {actual_length} entries; the least is {min_length}",
    "too_long": "has {actual_length} entries; the most is {max_length}",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "string_type": "must be a text",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
}


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
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_doubles)
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
    for field, reason, each in mistakes(error, model):
        value = each["input"]["kind"] if each["type"] == "union_tag_invalid" else each["input"]
        if each["type"] == "extra_forbidden":
            yield field, f"there is no such field.{near_fields(model, each['loc'])}"
        elif isinstance(value, (str, int, float)) and each["loc"] and reason.startswith("must"):
            yield field, f"{reason}, not {shown(value)}{_near_choice(each)}"
        else:
            yield field, reason


def refusals(error: ValidationError, model: type[BaseModel]) -> list[InvalidValueError]:
    """Return what to refuse a request with: an error each for unknown fields, then missing ones, then wrong values."""
    ranked: list[tuple[int, InvalidValueError]] = []
    for field, reason, details in mistakes(error, model):
        rank = {"extra_forbidden": 0, "missing": 1, "union_tag_not_found": 1}.get(details["type"], 2)
        ranked.append((rank, InvalidValueError(_sentence(field, reason, details, model), field or "the body")))
    return [refusal for _, refusal in sorted(ranked, key=lambda each: each[0])]


def _sentence(field: str, reason: str, details: ErrorDetails, model: type[BaseModel]) -> str:
    if details["type"] == SENTENCE:
        return details["msg"]
    if details["type"] == "extra_forbidden":
        return f"Bad input for parameter {shown(field)}. Unknown parameter.{near_fields(model, details['loc'])}"
    if reason == "is missing":
        return f"Bad input for parameter {field}. Missing required parameter in the JSON body."
    own_words = details["type"] == "value_error"
    reason = details["msg"].removeprefix("Value error, ") if own_words else f"Value {reason}"
    if not details["loc"]:  # a rule about several fields, which its words name
        return f"Bad input: {reason}."
    return f"Invalid value {shown(details['input'])} for parameter {field}. {reason}.{_near_choice(details, '')}"


def _near_choice(details: ErrorDetails, end: str = ".") -> str:
    """Return a suggestion, after the end of a sentence, for a text that is none of those that may be chosen."""
    choices = re.findall("'([^']*)'", details["ctx"]["expected"]) if details["type"] == "literal_error" else []
    near = did_you_mean(details["input"], choices) if isinstance(details["input"], str) else ""
    return end + near if near else ""


def mistakes(error: ValidationError, model: type[BaseModel]) -> list[tuple[str, str, ErrorDetails]]:
    """Return every mistake: the field as ``a.b``, why it is wrong, and pydantic's details.

    A value that may be of several types is refused by each of them; that is one mistake, and its reason names them all.
    """
    merged: dict[tuple[Any, ...], tuple[str, ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        place, reason = _place(model, details), _reason(details)
        if place in merged and merged[place][0] != reason:
            reason = f"{merged[place][0]} or {reason.removeprefix('must be ')}"
        merged[place] = (reason, details)
    deeper = {place[:length] for place in merged for length in range(1, len(place))}
    # a list with a wrong element is no number either, which is not what is wrong with it
    return [(".".join(map(str, place)), *rest) for place, rest in merged.items() if place not in deeper]


def _reason(details: ErrorDetails) -> str:
    """Return what is wrong with a field, as the end of a sentence that begins with its name."""
    context = details.get("ctx", {})
    if details["type"] == "string_pattern_mismatch" and context["pattern"] in _PATTERNS:
        return _PATTERNS[context["pattern"]]
    if details["type"] in _REASONS:
        return _REASONS[details["type"]].format(**context)
    reason = details["msg"].removeprefix("Value error, ")
    return (reason[:1].lower() + reason[1:]).replace("input should", "must")


def _place(model: type[BaseModel], details: ErrorDetails) -> tuple[int | str, ...]:
    """Return where a mistake is in the document, without the names of types that pydantic puts into the location."""
    places: list[Any] = [model]
    place: list[int | str] = []
    for part in details["loc"]:
        inner = [inner for outer in places for inner in _inside(outer, part)]
        if inner or (part == details["loc"][-1] and details["type"] == "extra_forbidden"):
            places = inner
            place.append(part)
    if details["type"].startswith("union_tag"):
        place.append(details["ctx"]["discriminator"].strip("'"))
    return tuple(place)


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
        places = [inner for place in places for inner in _inside(place, part)] or places
    names = dict.fromkeys(field for place in places for each in _models(place) for field in _fields(each))
    return did_you_mean(str(name), names)


def _inside(annotation: Any, part: int | str) -> list[Any]:
    """Return what a part of a location leads to."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {name: field.annotation for name, field in annotation.model_fields.items()} | _fields(annotation)
        return [fields[str(part)]] if part in fields else []
    arguments = get_args(annotation)
    origin = getattr(annotation, "__origin__", None)
    if origin in (dict, list, tuple):
        return [arguments[-1]] if origin is dict or isinstance(part, int) else []
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
        raise ValueError(f"{', '.join(doubled)} appears twice")
    return dict(pairs)
