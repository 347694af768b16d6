"""The error tree of trivium; each class carries the HTTP status that a reply takes from it.

::

    TriviumError                     500
    ├── RequestError              400   the client asked for something that cannot be
    │   ├── InvalidValueError     400   a parameter's value is not acceptable
    │   │   └── UnknownNameError  400   the model has nothing of this name
    │   ├── MalformedError        400   the body is not the JSON object it should be
    │   ├── ContentTypeError      415   the body is not declared as JSON
    │   ├── TooLargeError         413   the body is beyond the limit
    │   ├── StateError            409   a stored state that does not belong here
    │   │   └── DamagedError      409   what is stored is not what was written, or not all of it
    │   ├── ConflictError         409   the session is not where the client believes it to be
    │   ├── TokenError            401   a token is asked for, and there is none, or none that is known
    │   ├── ForbiddenError        403   the caller may not do this
    │   ├── RateError             429   the caller asks too often; has the time to wait
    │   ├── NotFoundError         404   there is no job, kind of job or file of this name
    │   └── UnknownSessionError   400   there is no session of this test id
    ├── BusyError                 503   a limit is reached; has the time to wait
    ├── UnavailableError          503   something that the server needs cannot be used; the log has the reason
    ├── ModelError                500   the model failed; the session is unchanged
    │   └── EndedError            400   the model ended the simulation itself
    ├── ComponentError            500   a component of a coupled run failed
    ├── JobError                  500   a job ended with an error or was cancelled; raised by clients
    ├── ResourcesError            500   a file of the test case is missing or wrong
    │   └── UnsafeFileError       500   a file would run code when loaded
    ├── SettingsError             500   a setting, from a variable or an option, is not acceptable
    ├── EngineError               503   the processes that run tasks cannot be reached
    ├── StoreError                503   the store of jobs cannot be reached
    ├── MissingExtraError         501   an optional package is not installed
    ├── UnreachableError          504   a server did not answer; raised by clients
    └── StorageError              507   the state directory cannot take what must be stored
"""

from __future__ import annotations


class TriviumError(Exception):
    """Base of all errors that trivium raises on purpose.

    Attributes
    ----------
    status : int
        The HTTP status of a reply that reports this error.
    """

    status: int = 500


class RequestError(TriviumError):
    """A request that cannot be met; nothing was changed."""

    status = 400


class InvalidValueError(RequestError):
    """A value that is not acceptable for a parameter.

    Parameters
    ----------
    message : str
        What is wrong, naming the parameter.
    field : str
        The parameter.
    """

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownNameError(InvalidValueError):
    """A name that the model does not have.

    Parameters
    ----------
    message, field : str
        As in `InvalidValueError`.
    noun, name : str
        The kind of the name, like ``input``, and the name.
    near : str
        A sentence with names that are near, or nothing.
    known : list of str
        The names that exist, where nothing lists them.
    """

    def __init__(self, message: str, field: str, noun: str, name: str, near: str, known: list[str]) -> None:
        super().__init__(message, field)
        self.noun, self.name, self.near, self.known = noun, name, near, known
        #: The step of a trajectory that has the name, before the message.
        self.place = ""


class MalformedError(RequestError):
    """A body that is not the JSON object it should be."""


class ContentTypeError(RequestError):
    """A body that is not declared as JSON, or compressed."""

    status = 415


class TooLargeError(RequestError):
    """A body beyond the size limit."""

    status = 413


class StateError(RequestError):
    """A stored state that this test case cannot go back to: damaged, of other files, of another version."""

    status = 409


class DamagedError(StateError):
    """What is stored is not what was written: a changed bit, a file that is missing or shorter.

    Parameters
    ----------
    message : str
    lost : bool
        Whether what is left is whole, and ends before what was acknowledged.
    """

    def __init__(self, message: str, *, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost


class ConflictError(RequestError):
    """A precondition of the request failed: the session has another time, or the key belongs to another request."""

    status = 409


class TokenError(RequestError):
    """A request without a token, or with one that is not known, where one is asked for."""

    status = 401


class ForbiddenError(RequestError):
    """A request that its caller may not make."""

    status = 403


class RateError(RequestError):
    """More requests than a caller may make.

    Parameters
    ----------
    message : str
    retry_after : int
        When to come again [s].
    """

    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFoundError(RequestError):
    """There is nothing of this name: a job, a kind of job, a file of a job."""

    status = 404


class UnknownSessionError(RequestError):
    """A test id that no session has.

    Parameters
    ----------
    testid : str
    """

    def __init__(self, testid: str) -> None:
        super().__init__(f"Invalid testid: {testid}")
        self.testid = testid


class BusyError(TriviumError):
    """A limit of the server is reached.

    Parameters
    ----------
    message : str
    retry_after : int
        When to come again [s].
    position : int
        How many wait, this client included.
    """

    status = 503

    def __init__(self, message: str, retry_after: int, position: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.position = position


class UnavailableError(TriviumError):
    """Something that the server needs cannot be used at the moment; its log has the reason, and the path."""

    status = 503


class ModelError(TriviumError):
    """A model that failed, with its own log messages; the session is unchanged."""


class EndedError(ModelError):
    """A model that ended the simulation itself, as its author meant it to."""

    status = 400


class ComponentError(TriviumError):
    """A component of a coupled run that failed, or whose results are not what it promises."""


class JobError(TriviumError):
    """A job ended with an error or was cancelled."""


class ResourcesError(TriviumError):
    """A file of the test case that is missing or wrong."""


class UnsafeFileError(ResourcesError):
    """A file that would run code when loaded; names the global it refers to."""


class SettingsError(TriviumError):
    """A setting, from a variable or an option, that is not acceptable."""


class EngineError(TriviumError):
    """The processes that run tasks cannot be reached."""

    status = 503


class StoreError(TriviumError):
    """The store of jobs cannot be reached."""

    status = 503


class UnreachableError(TriviumError):
    """A server that did not answer; whether it did what it was asked is not known."""

    status = 504


class StorageError(TriviumError):
    """The state directory cannot take what must be stored (disk full, no permission)."""

    status = 507


class MissingExtraError(TriviumError):
    """An optional package is not installed; the message names the extra that brings it."""

    status = 501
