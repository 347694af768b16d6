"""The loop over output points, compiled: no Python runs between the points of a run.

numba calls the FMU's own C functions through their addresses. They are arguments, whole numbers, so the compiled code
serves every FMU and is kept on disk: a worker process loads it instead of compiling. (numba takes ctypes functions too,
but spends 0.1 ms at every call on finding out their types.) The status of every call is checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import float64, int32, njit, uintp
from numba.extending import intrinsic
from numpy.typing import NDArray

#: The greatest status of FMI that lets a run go on: OK and warning.
_WARNING = 1
#: What `simulate` returns as status where an output is no finite number.
NOT_FINITE = -1


def _compiled(function: Any) -> Any:
    """Compile a function, and keep it on disk where numba finds a folder that can be written."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be: each process compiles then
        return njit(nogil=True)(function)


def _calling(*types: Any) -> Any:
    """Return what numba needs to call a C function by its address; it returns a status.

    Parameters
    ----------
    types : numba types
        Of the arguments; pointers are whole numbers, which all calling conventions pass in the same way.
    """

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        native = [context.get_value_type(type_) for type_ in types]
        function = ir.FunctionType(ir.IntType(32), native).as_pointer()
        return builder.call(builder.inttoptr(arguments[0], function), arguments[1:])

    return int32(uintp, *types), generate


@intrinsic  # type: ignore[untyped-decorator]
def _step(_: Any, address: Any, instance: Any, time: Any, duration: Any, keep: Any) -> Any:  # noqa: ARG001 - types
    return _calling(uintp, float64, float64, int32)


@intrinsic  # type: ignore[untyped-decorator]
def _pass(_: Any, address: Any, instance: Any, references: Any, count: Any, values: Any) -> Any:  # noqa: ARG001 - types
    return _calling(uintp, uintp, uintp, uintp)


@_compiled
def read(
    get_real: int,
    get_integer: int,
    get_boolean: int,
    instance: int,
    reals: NDArray[np.uint32],
    integers: NDArray[np.uint32],
    booleans: NDArray[np.uint32],
    buffer: NDArray[np.int32],
    row: NDArray[np.float64],
) -> Any:
    """Read the outputs of an instance into a row: reals, integers, booleans; return FMI's status or NOT_FINITE."""
    n = reals.size
    if n:
        status = _pass(get_real, instance, reals.ctypes.data, n, row.ctypes.data)
        if status > _WARNING:
            return status
        for i in range(n):
            if not np.isfinite(row[i]):
                return NOT_FINITE
    if integers.size:
        status = _pass(get_integer, instance, integers.ctypes.data, integers.size, buffer.ctypes.data)
        if status > _WARNING:
            return status
        for i in range(integers.size):
            row[n + i] = buffer[i]
        n += integers.size
    if booleans.size:
        status = _pass(get_boolean, instance, booleans.ctypes.data, booleans.size, buffer.ctypes.data)
        if status > _WARNING:
            return status
        for i in range(booleans.size):
            row[n + i] = buffer[i] != 0
    return 0


@_compiled
def write(
    set_real: int,
    set_integer: int,
    set_boolean: int,
    instance: int,
    reals: NDArray[np.uint32],
    integers: NDArray[np.uint32],
    booleans: NDArray[np.uint32],
    buffer: NDArray[np.int32],
    row: NDArray[np.float64],
) -> Any:
    """Set the inputs of an instance to a row: reals, integers, booleans; return FMI's status."""
    n = reals.size
    status = _pass(set_real, instance, reals.ctypes.data, n, row.ctypes.data) if n else 0
    if status > _WARNING:
        return status
    if integers.size:
        for i in range(integers.size):
            buffer[i] = int(row[n + i])
        status = _pass(set_integer, instance, integers.ctypes.data, integers.size, buffer.ctypes.data)
        if status > _WARNING:
            return status
        n += integers.size
    if booleans.size:
        for i in range(booleans.size):
            buffer[i] = int(row[n + i])
        status = _pass(set_boolean, instance, booleans.ctypes.data, booleans.size, buffer.ctypes.data)
    return status


@_compiled
def simulate(
    do_step: int,
    get_real: int,
    get_integer: int,
    get_boolean: int,
    set_real: int,
    set_integer: int,
    set_boolean: int,
    instance: int,
    reals: NDArray[np.uint32],
    integers: NDArray[np.uint32],
    booleans: NDArray[np.uint32],
    real_inputs: NDArray[np.uint32],
    integer_inputs: NDArray[np.uint32],
    boolean_inputs: NDArray[np.uint32],
    table: NDArray[np.float64],
    times: NDArray[np.float64],
    lengths: NDArray[np.float64],
    recorded: NDArray[np.bool_],
    out: NDArray[np.float64],
) -> tuple[int, int]:
    """Simulate a run.

    Parameters
    ----------
    do_step, get_real, get_integer, get_boolean, set_real, set_integer, set_boolean : int
        Addresses of the FMU's functions.
    instance : int
        An initialized instance.
    reals, integers, booleans : arrays
        Value references of the outputs.
    real_inputs, integer_inputs, boolean_inputs : arrays
        Value references of the inputs that follow a table.
    table : array, shape (count, n)
        Their values during each step.
    times : array, shape (count + 1,)
        Where steps begin and end, in the FMU's unit of time.
    lengths : array, shape (count,)
        Of the steps between them: a difference of times is one but for rounding.
    recorded : array, shape (count + 1,)
        Whether outputs are read there; at the first time always.
    out : array, shape (n_recorded, n_outputs)
        Is filled: the state after the initialization, then after each step that ends where outputs are recorded.

    Returns
    -------
    tuple of int
        The place of the time that was reached, and the status: 0, what FMI says, or NOT_FINITE.
    """
    buffer = np.zeros(max(integers.size, booleans.size, integer_inputs.size, boolean_inputs.size, 1), np.int32)
    driven = real_inputs.size + integer_inputs.size + boolean_inputs.size > 0
    status = read(get_real, get_integer, get_boolean, instance, reals, integers, booleans, buffer, out[0])
    if status:
        return 0, status
    row = 0
    for i in range(lengths.size):
        if driven:
            status = write(
                set_real, set_integer, set_boolean, instance,
                real_inputs, integer_inputs, boolean_inputs, buffer, table[i],
            )  # fmt: skip
            if status > _WARNING:
                return i, status
        status = _step(do_step, instance, times[i], lengths[i], 1)
        if status > _WARNING:
            return i, status
        if recorded[i + 1]:
            row += 1
            status = read(get_real, get_integer, get_boolean, instance, reals, integers, booleans, buffer, out[row])
            if status:
                return i + 1, status
    return lengths.size, 0


def compile_loop() -> None:
    """Compile the loop, or load it from disk, so that no run is charged with it: simulate nothing, without an FMU."""
    none = np.empty(0, dtype=np.uint32)
    nothing = (none,) * 6
    simulate(
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        *nothing,
        np.empty((0, 0)),
        np.zeros(1),
        np.empty(0),
        np.ones(1, np.bool_),
        np.empty((1, 0)),
    )
