"""Write the C files that depend on the model: equations, tables of variables and the pattern of the linear solver."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import casadi as ca

from workshop.fmi.equations import Equations
from workshop.fmi.rosenbrock import RODAS4P
from workshop.fmi.sparse_lu import SymbolicLU, factorise, unroll
from workshop.fmi.spec import Model, Variable

__all__ = ["MOST_UPDATES", "STEP_LIMIT", "STEP_LIMIT_TOTAL", "generate"]

STEP_LIMIT = 20_000
"""Most integrator steps, rejected ones included, per default communication step."""

STEP_LIMIT_TOTAL = 1_000_000
"""Most integrator steps in one call, however long the step."""

MOST_UPDATES = 100_000
"""Most multiplications of a factorisation that is written out as C."""

_RK4_STAGES = 4

_LOAD = re.compile(r"arg\[(\d+)\]\? arg\[\1\]\[(\d+)\] : 0;")
_STORE = re.compile(r"if \(res\[0\]!=0\) res\[0\]\[(\d+)\]=")


def generate(model: Model, equations: Equations) -> dict[str, str]:
    """Generate C sources.

    Parameters
    ----------
    model : Model
        The plant.
    equations : Equations
        What `workshop.fmi.equations.derive` made of it.

    Returns
    -------
    dict of str to str
        File name to content: ``model.c``, ``model.h``, ``model_data.c`` and ``model_data.h``, and unless the model is
        a pulsed one ``lu.c``.
    """
    if model.pulses is not None:
        return _files(equations, *_data(model, equations, None))
    rows, columns = equations.jac_sparsity.get_triplet()
    lu = factorise(len(model.states), columns, rows)  # of the transposed matrix, see unroll
    if len(lu.target) > MOST_UPDATES:
        raise ValueError(f"the Jacobian fills in too much to unroll its factorisation: {len(lu.target)} updates")
    return {"lu.c": unroll(lu), **_files(equations, *_data(model, equations, lu))}


def _files(equations: Equations, header: str, source: str) -> dict[str, str]:
    return {
        "model.c": _model_c(equations.functions),
        "model.h": _model_h(equations.functions),
        "model_data.c": source,
        "model_data.h": header,
    }


def _signature(function: ca.Function) -> str:
    name = function.name()
    return f"void {name}({''.join(f'const double *a{i}, ' for i in range(function.n_in()))}double *restrict r)"


def _model_h(functions: Iterable[ca.Function]) -> str:
    lines = ["/* Generated: the model's equations. */", "#ifndef MODEL_H", "#define MODEL_H", ""]
    lines += [f"{_signature(function)};" for function in functions]
    return "\n".join([*lines, "", "#endif", ""])


def _model_c(functions: Sequence[ca.Function]) -> str:
    """CasADi's own code with plain signatures: its null checks of every argument cost a branch a load."""
    with tempfile.TemporaryDirectory() as directory:
        options: dict[str, Any] = {
            "casadi_real": "double",
            "casadi_int": "int",
            "with_header": False,
            "with_export": False,
        }
        for function in functions:
            if function.sz_iw():
                raise ValueError(f"{function.name()} needs integer work memory, which generated code does not get")
        generator = ca.CodeGenerator("model.c", options)
        for function in functions:
            generator.add(function)
        generator.generate(directory + "/")
        text = (Path(directory) / "model.c").read_text(encoding="utf-8")

    bodies = re.findall(
        r"^static int casadi_f\d+\(const casadi_real\*\* arg, casadi_real\*\* res, [^)]*\) \{\n(.*?)\n\}$",
        text,
        flags=re.M | re.S,
    )
    if len(bodies) != len(functions):
        raise ValueError(f"expected {len(functions)} functions in CasADi's code, found {len(bodies)}")
    helpers = re.findall(r"^casadi_real casadi_\w+\([^)]*\) \{.*?\}$", text, flags=re.M | re.S)
    parts = [
        "/* Generated with CasADi: the model's equations. */",
        '#include "model.h"\n\n#include <math.h>\n\n'
        "#define casadi_inf INFINITY\n#define casadi_nan NAN\n\ntypedef double casadi_real;",
        *(f"static {helper}" for helper in helpers),
    ]
    for function, body in zip(functions, bodies, strict=True):
        # CasADi numbers its locals a0, a1, ...: keep them apart from the arguments
        code = re.sub(r"\ba(\d+)\b", r"t\1", body)
        code = _STORE.sub(r"r[\1]=", _LOAD.sub(r"a\1[\2];", code)).replace("  return 0;", "").rstrip()
        if re.search(r"\b(arg|res|iw|w|mem)\b", code):
            raise ValueError(f"the generated code of {function.name()} has a form that is not understood")
        unused = "".join(f" (void)a{i};" for i in range(function.n_in()))
        parts.append(f"{_signature(function)}\n{{\n {unused} (void)r;\n{code}\n}}")
    return "\n\n".join(parts) + "\n"


def _c_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(value: float) -> str:
    if value in (float("inf"), float("-inf")):
        return "HUGE_VAL" if value > 0 else "-HUGE_VAL"
    return repr(float(value))


def _array(kind: str, name: str, values: Sequence[str]) -> tuple[str, str]:
    """Declare and define a constant array, at least one element long."""
    body = ", ".join(values) if values else "0"
    lines = re.sub(r"(.{1,110})(?:, |$)", r"    \1,\n", body)
    size = max(1, len(values))
    return f"extern const {kind} {name}[{size}];", f"const {kind} {name}[{size}] = {{\n{lines}}};"


def _integers(values: Iterable[int]) -> list[str]:
    return [str(int(value)) for value in values]


def _reals(values: Iterable[float]) -> list[str]:
    return [_number(value) for value in values]


def _stiff_tables(equations: Equations) -> list[tuple[str, str]]:
    """Pattern of the Jacobian and coefficients of the Rosenbrock method."""
    method, jac = RODAS4P, equations.jac_sparsity
    tables = [
        _array("int", "jac_column", _integers(jac.colind())),
        _array("int", "jac_row", _integers(jac.row())),
        _array("double", "ros_alpha", _reals(method.alpha)),
        _array("double", "ros_gamma_sum", _reals(method.gamma_sum)),
    ]
    for name, matrix in zip(("ros_a", "ros_c"), method.matrices(), strict=True):
        size = f"[{method.stages}][{method.stages}]"
        body = "".join("    {" + ", ".join(_reals(row)) + "},\n" for row in matrix)
        tables.append((f"extern const double {name}{size};", f"const double {name}{size} = {{\n{body}}};"))
    return tables


def _data(model: Model, equations: Equations, lu: SymbolicLU | None) -> tuple[str, str]:
    """Header and source of sizes and tables, for the Rosenbrock method with `lu`, without for Runge-Kutta's."""
    nu, ny, npar, nx = len(model.inputs), len(model.outputs), len(model.parameters), len(model.states)
    nf, nz = model.n_filters, len(model.locals)

    filters = [f"{name}.{stage}" for stage in ("s1", "s2") for name in model.filter_names]
    states = filters + [state.name for state in model.states]
    names = [v.name for group in (model.inputs, model.outputs, model.parameters) for v in group]
    names += states + [f"der({name})" for name in states] + [v.name for v in model.locals]
    settable: list[Variable | None] = [*model.inputs, *(None for _ in range(ny)), *model.parameters]
    vr = {"VR_U": 0, "VR_Y": nu, "VR_P": nu + ny, "VR_X": nu + ny + npar}
    vr["VR_DX"] = vr["VR_X"] + len(states)
    vr["VR_Z"] = vr["VR_DX"] + len(states)

    def bound(variable: Variable | None, which: str, default: float) -> str:
        value = getattr(variable, which) if variable is not None else None
        return _number(default if value is None else value)

    nominals = [v.nominal or 1.0 for v in model.inputs]
    arrays = [
        _array("char *const", "variable_names", [_c_string(name) for name in names]),
        _array("double", "variable_start", [bound(v, "start", 0.0) for v in settable]),
        _array("double", "variable_min", [bound(v, "min", -float("inf")) for v in settable]),
        _array("double", "variable_max", [bound(v, "max", float("inf")) for v in settable]),
        _array("double", "state_nominal", _reals(v.nominal or 1.0 for v in model.states)),
        _array("int", "filter_input", _integers(model.filter_input)),
        _array("double", "filter_nominal", _reals(nominals[k] for k in model.filter_input)),
    ]
    stages, gamma, told = _RK4_STAGES, 0.0, ["Runge-Kutta's classical one of order 4"]
    if lu is not None:
        stages, gamma, told = RODAS4P.stages, RODAS4P.gamma, [RODAS4P.name + ":", RODAS4P.source]
        arrays += _stiff_tables(equations)
    sizes = {
        "NU": nu, "NY": ny, "NP": npar, "NF": nf, "NX": nx, "NZ": nz, "NH": model.n_aux, "NC": equations.n_pre,
        "NJ": equations.jac_sparsity.nnz(),
        "NLU": len(lu.column) if lu else 0, "ROS_STAGES": stages, "N_VARIABLES": len(names),
    }  # fmt: skip
    reals_defined = {
        "ROS_GAMMA": gamma, "DEFAULT_TOLERANCE": model.tolerance, "DEFAULT_STEP": model.step_size,
        "STEP_LIMIT": float(STEP_LIMIT), "STEP_LIMIT_TOTAL": float(STEP_LIMIT_TOTAL), "FIRST_STEP": model.first_step,
    }  # fmt: skip
    header = [
        "/* Generated: sizes and tables of the model; value references count inputs, outputs, parameters, states,",
        " * derivatives and local variables, in this order. The method is " + "\n * ".join(told) + " */",
        "#ifndef MODEL_DATA_H",
        "#define MODEL_DATA_H",
        "",
        "#include <math.h>",
        "",
        *(f"#define {key} {value}" for key, value in sizes.items()),
        *(f"#define {key} {value}u" for key, value in vr.items()),
        *(f"#define {key} {_number(value)}" for key, value in reals_defined.items()),
        "#define state_name(i) variable_names[VR_X + 2 * NF + (unsigned)(i)]",
        "",
        *(declaration for declaration, _ in arrays),
        "",
        "#endif",
        "",
    ]
    source = ["/* Generated: tables of the model. */", '#include "model_data.h"', "", *(body for _, body in arrays), ""]
    return "\n".join(header), "\n".join(source)
