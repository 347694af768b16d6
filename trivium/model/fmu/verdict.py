"""What an FMU really does with its state: the outcome of its qualification, which everything else reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: How a model of an FMU is brought back to a moment.
#:
#: ``exact``: its state is restored, also in another process, and it goes on with the same numbers to the last bit.
#: ``inexact``: its state is restored, and it goes on with other numbers.
#: ``replay``: its state cannot be restored; its steps are simulated again.
#: ``fresh``: as ``replay``, and each initialization needs a process of its own.
Verdict = Literal["exact", "inexact", "replay", "fresh"]


@dataclass(frozen=True)
class Qualification:
    """What was found about an FMU with an engine.

    Attributes
    ----------
    verdict : Verdict
    isolate : bool
        Whether each initialization needs a process of its own: where the verdict is ``fresh``, or the FMU declares that
        it can be instantiated only once in a process.
    reason : str
        Why the verdict is no better; empty where it is ``exact``.
    exact_here : bool
        Whether a restore in the process that saved the state is exact, whatever it is in another one.
    difference : float
        Largest relative difference after a restore in another process [1].
    jumps : tuple of str
        Variables that are not continuous at communication points: they change in a step of no length to speak of.
    error : str
        Why the FMU could not be stepped; empty where it could.
    steps : int
        Steps that were really simulated before anything was saved or repeated.
    step_ms : float
        Wall-clock time of a step, the median [ms].
    seconds : float
        Wall-clock time of the qualification [s].
    decided : bool
        False where a process was killed or did not answer in time, or PyFMI cannot be imported: that may be no property
        of the FMU, so the outcome is not stored.
    """

    verdict: Verdict = "exact"
    isolate: bool = False
    reason: str = ""
    exact_here: bool = True
    difference: float = 0.0
    jumps: tuple[str, ...] = ()
    error: str = ""
    steps: int = 0
    step_ms: float = 0.0
    seconds: float = 0.0
    decided: bool = True

    @property
    def can_restore(self) -> bool:
        """Whether the FMU survives that its state is restored."""
        return self.verdict in ("exact", "inexact")

    def __str__(self) -> str:
        if self.verdict == "fresh":
            return f"each initialization gets a process of its own: {self.reason}"
        words = {
            "exact": "restore is exact",
            "inexact": f"restore is inexact: {self.reason}",
            "replay": f"restore is impossible, steps are simulated again: {self.reason}",
        }
        apart = "; it declares one instance a process, so each initialization gets one" if self.isolate else ""
        return words[self.verdict] + apart
