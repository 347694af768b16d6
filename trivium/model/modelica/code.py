"""C sources of the FMU of a model: what csrc/modelica.c includes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import casadi as ca

from trivium.model.modelica.description import Entry, type_code
from trivium.model.modelica.system import BY_STATE, System

_KINDS = ("above", "least", "floor", "clock")


def write_equations(system: System) -> str:
    """Return equations.h: the functions of the model."""
    with tempfile.TemporaryDirectory() as folder:
        generator = ca.CodeGenerator("equations.c", {"with_header": False, "casadi_int": "int"})
        for function in system.functions:
            generator.add(function)
        generator.generate(f"{folder}/")
        return (Path(folder) / "equations.c").read_text(encoding="utf-8")


def write_model(system: System, entries: Sequence[Entry], numbers: dict[str, list[float]], guid: str) -> str:
    """Return model.h: sizes, offsets and names.

    Parameters
    ----------
    system : System
    entries : sequence of Entry
    numbers : dict
        Start values of ``parameters`` and ``inputs``, and ``nominals`` of states.
    guid : str
    """
    lines, offset, offsets = [f'#define GUID "{guid}"'], 0, {}
    for part, symbols in system.vector.items():
        lines.append(f"#define AT_{part.upper()} {offset}")
        offsets[part] = offset
        offset += len(symbols)
    others = [*system.algebraics, *system.variables.derived]
    declared = system.variables
    sizes = {
        "VECTOR": offset, "STATES": len(system.states), "OTHERS": len(others), "INPUTS": len(declared.inputs),
        "PARAMETERS": len(declared.parameters), "DISCRETES": len(declared.discretes), "HELD": len(system.following),
        "CONDITIONS": len(system.conditions), "ITERATED": len(system.iterated), "SOLVED": len(system.solved_states),
        "MESSAGES": len(system.messages), "INDICATORS": indicators(system),
        "WORK": max(1, *(function.sz_w() for function in system.functions)),
    }  # fmt: skip
    lines += [f"#define N_{name} {size}" for name, size in sizes.items()]
    lines += [
        f"#define ITERATED_PLACES {_listed(range(offsets['iterated'], offsets['iterated'] + len(system.iterated)))}",
        f"#define SOLVED_PLACES {_listed(offsets['states'] + place for place in system.solved_states)}",
        f"#define PARAMETER_STARTS {_listed(map(repr, numbers['parameters']))}",
        f"#define INPUT_STARTS {_listed(map(repr, numbers['inputs']))}",
        f"static const double NOMINALS[SOME(N_STATES)] = {_listed(map(repr, numbers['nominals']))};",
        "static const HeldNumber HELD[SOME(N_HELD)] = "
        + _listed(f"{{{_KINDS.index(each.held.kind)}, {each.by}}}" for each in system.following)
        + ";",
        f"static const char *const MESSAGES[SOME(N_MESSAGES)] = {_listed(map(_text, system.messages))};",
        "static const char *const RESULT_NAMES[SOME(N_STATES + N_OTHERS)] = "
        + _listed(
            _text(name) for name in (*(f"der({each.name})" for each in system.states), *(each.name for each in others))
        )
        + ";",
        "static const Variable VARIABLES[] = "
        + _listed(f"{{'{each.part}', '{type_code(each)}', '{each.when}', {each.place}}}" for each in entries)
        + ";",
    ]
    return "\n".join([*lines, ""])


def indicators(system: System) -> int:
    """Return the number of event indicators."""
    kinds = [each.held.kind for each in system.following if each.by == BY_STATE]
    return sum(2 if kind == "floor" else 1 for kind in kinds)


def _listed(items: Iterable[object]) -> str:
    return "{" + ", ".join(map(str, items)) + "}" if (items := list(items)) else "{0}"


def _text(text: str) -> str:
    # of what JSON escapes C knows all but \u in the first characters, which are none of a message's
    return json.dumps(text.replace("\\", "/").replace("\n", " ").replace("%", "%%"), ensure_ascii=False)
