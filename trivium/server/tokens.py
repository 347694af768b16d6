"""Tokens in a file, which holds only their hashes, and the scopes that they allow."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from trivium.errors import InvalidValueError, SettingsError, StorageError
from trivium.storage import locked, replace_file
from trivium.suggestions import did_you_mean

Scope = Literal["read", "control", "jobs", "admin"]
#: What each scope allows besides itself.
_IMPLIED: dict[str, frozenset[str]] = {
    "read": frozenset(),
    "control": frozenset({"read"}),
    "jobs": frozenset({"read"}),
    "admin": frozenset(get_args(Scope)),
}


_Count = Annotated[int, Field(ge=0)]
#: Limits of a token by name.
LIMITS = ("rate", "sessions", "jobs", "storage")


class Token(BaseModel):
    """A token as the file has it.

    Attributes
    ----------
    name : str
        The log has it in place of the token.
    sha256 : str
        Of the token. The token is 256 random bits, so no salt and no slow hash is needed.
    scopes : tuple of str
    rate : int, optional
        Most requests a second; None for the server's limit, as of those that follow.
    sessions, jobs : int, optional
        Most of its sessions, and of its jobs that wait or run; 0 for no limit of its own.
    storage : int, optional
        Most that these may store [MiB]; 0 for no limit of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    rate: Annotated[int, Field(ge=1)] | None = None
    sessions: _Count | None = None
    jobs: _Count | None = None
    storage: _Count | None = None

    def may(self, scope: str) -> bool:
        """Return whether the token allows a scope."""
        return any(scope == granted or scope in _IMPLIED[granted] for granted in self.scopes)


_FILE = TypeAdapter(list[Token])


class Tokens:
    """The tokens of a file, read again when it changes: a token that is removed there ends at once.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SettingsError
        When the file cannot be read, is no list of tokens, or others than its owner may write to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int, int] | None = None
        self._tokens: list[Token] = []
        self.read()

    def read(self) -> list[Token]:
        """Return the tokens, read again where the file has changed.

        Raises
        ------
        SettingsError
            As the constructor.
        """
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode)
            if seen != self._seen:
                if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    raise SettingsError(
                        f"TRIVIUM_TOKENS: others may write to {self._path}, and make tokens of their own; take the "
                        f"right away: chmod go-w {self._path}"
                    )
                self._tokens = _FILE.validate_json(self._path.read_bytes())
                self._seen = seen
        except OSError as error:
            raise SettingsError(f"TRIVIUM_TOKENS: {self._path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"])) or "the file"
            # the value is left out: somebody may have put a token where its hash belongs
            raise SettingsError(f"TRIVIUM_TOKENS: {self._path}: {place}: {error.errors()[0]['msg']}") from None
        return self._tokens

    def find(self, text: str) -> Token | None:
        """Return the token of this text; all are compared, each in constant time."""
        digest, match = _digest(text), None
        for token in self.read():
            if hmac.compare_digest(token.sha256, digest):
                match = token
        return match

    def add(self, name: str, scopes: Iterable[str], **limits: int | None) -> str:
        """Make a token and return its text, which is not stored.

        Parameters
        ----------
        name : str
        scopes : iterable of str
        **limits
            Some of `LIMITS`, as the attributes of `Token` have them.

        Raises
        ------
        InvalidValueError
            When the name is taken, or something is not acceptable.
        """
        text = f"trivium_{secrets.token_urlsafe(32)}"
        try:
            token = Token.model_validate({"name": name, "sha256": _digest(text), "scopes": tuple(scopes), **limits})
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0])
            if field == "scopes" and first["type"] == "literal_error":
                scopes_of = get_args(Scope)
                near = did_you_mean(str(first["input"]), scopes_of)
                reason = f"{first['input']} is not one of {', '.join(scopes_of)}.{near}"
            else:
                reason = str(first["msg"])
            raise InvalidValueError(f"Invalid {field}: {reason}", field) from error
        with _alone(self._path):
            if any(each.name == name for each in self.read()):
                raise InvalidValueError(f"There is a token {name} already.", "name")
            _write(self._path, [*self.read(), token])
        return text

    def remove(self, name: str) -> None:
        """Remove a token.

        Raises
        ------
        InvalidValueError
            When there is none of this name.
        """
        with _alone(self._path):
            left = [token for token in self.read() if token.name != name]
            if len(left) == len(self.read()):
                near = did_you_mean(name, [token.name for token in left])
                raise InvalidValueError(f"There is no token {name}.{near}", "name")
            _write(self._path, left)


def create(path: Path) -> Tokens:
    """Return the tokens of a file, which is made when there is none.

    Raises
    ------
    SettingsError
        When that cannot be done.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(path):
                if not path.exists():
                    _write(path, [])
    except OSError as error:
        raise SettingsError(f"TRIVIUM_TOKENS: {path} cannot be written: {error.strerror}") from error
    except StorageError as error:
        raise SettingsError(f"TRIVIUM_TOKENS: {error}") from error
    return Tokens(path)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from changing a file of tokens between its reading and its writing.

    Raises
    ------
    SettingsError
        When its folder cannot be written.
    """
    try:
        with locked(path.with_name(f".{path.name}.lock")):
            yield
    except OSError as error:
        raise SettingsError(f"TRIVIUM_TOKENS: {path} cannot be written: {error.strerror}") from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _write(path: Path, tokens: list[Token]) -> None:
    content = orjson.dumps([token.model_dump(exclude_none=True) for token in tokens], option=orjson.OPT_INDENT_2)
    replace_file(path, content, durable=True)
