"""What a folder is that is no coupled case: `RECOGNIZERS` are asked in turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

#: Returns a sentence on what a folder is and what to do with it; None where it is something else.
Recognizer = Callable[[Path], str | None]


def describe(folder: Path) -> str | None:
    """Return what a folder is, in a sentence; None where nothing recognizes it."""
    return next((sentence for recognize in RECOGNIZERS if (sentence := recognize(folder)) is not None), None)


def study(folder: Path) -> str | None:
    """Recognize a parameter study."""
    studies = sorted(map(str, folder.glob("*study*.json")))
    return f"It holds a study: trivium sweep {studies[0]}" if studies else None


def muio(folder: Path) -> str | None:
    """Recognize a case of MUIO or MUIOGO, and name its runs."""
    from trivium.coupling.muio.case import MuioCase, is_case

    if not is_case(folder):
        return None
    case = MuioCase.read(folder)
    runs = f" with the run{'s' if len(case.runs) > 1 else ''} {', '.join(case.runs)}" if case.runs else ""
    return (
        f"It is the case {case.name} of MUIO{runs}: a case.json in a folder of its own names it "
        'in a component of the kind "muio" (docs/how-to/muio.md).'
    )


def storage(folder: Path) -> str | None:
    """Recognize a folder of MUIO's cases, such as its ``DataStorage``."""
    from trivium.coupling.muio.case import is_case

    cases = sorted(str(each) for each in folder.iterdir() if is_case(each))
    return f"It holds cases of MUIO: {', '.join(cases[:5])}" if cases else None


def otoole(folder: Path) -> str | None:
    """Recognize an OSeMOSYS model as otoole has it: a data package, or a folder of its CSV files."""
    tables = [place for place in (folder, folder / "data") if (place / "YEAR.csv").is_file()]
    if not tables or not (tables[0] / "TECHNOLOGY.csv").is_file():
        return None
    package = folder / "datapackage.json"
    data = package if package.is_file() else tables[0]
    return (
        f"It is an OSeMOSYS model in otoole's CSV files: a component in MathProg takes it as its data, {data} "
        "(docs/og-clews.md)."
    )


#: Further kinds of folders add theirs here.
RECOGNIZERS: list[Recognizer] = [study, muio, storage, otoole]
