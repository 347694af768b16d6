"""The kind ``converge``: a coupled case as `trivium converge` runs it, of the server's own cases only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from trivium.coupling.profile import PR24
from trivium.coupling.spec import Alpha, Case, Depth, MethodName, Patience, case_file, load_case
from trivium.errors import InvalidValueError
from trivium.experiment.spec import Positive
from trivium.extras import is_installed, missing
from trivium.jobs.kinds import Kind
from trivium.names import FolderName
from trivium.recorder import Outcome, Recorder
from trivium.settings import Settings

if not is_installed("matplotlib", "pint", "plotly"):
    raise missing("The kind of job converge", "coupling")


class Spec(BaseModel):
    """A case's folder in TRIVIUM_STUDIES, and settings that take the place of the case's own.

    With ``dampening_factor_alpha`` alone the method is constant damping: alpha V_calculated + (1 - alpha) V_old. The
    profile ``pr24`` has the defaults and the bounds of the proposal EAPD-DRB/MUIOGO #24.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    case_name: FolderName
    dampening_factor_alpha: Alpha | None = None
    convergence_tolerance: Positive | None = None
    max_iterations: Annotated[int, Field(ge=1, le=10**6)] | None = None
    method: MethodName | None = None
    depth: Depth | None = None
    patience: Patience | None = None
    profile: Literal["pr24"] | None = None
    accept_changes: bool = False

    @field_validator("case_name")
    @classmethod
    def _is_a_case(cls, name: str, info: ValidationInfo[Settings]) -> str:
        folder = info.context.studies / name
        if not case_file(folder).is_file() or not folder.is_dir():
            raise ValueError("there is no case of this name on this server")
        try:
            load_case(folder)
        except InvalidValueError as error:
            raise ValueError(" ".join(str(error).split())) from error
        return name

    def case(self, settings: Settings) -> Case:
        """Return the case of a server, with what this specification puts in the place of its own settings."""
        own: dict[str, float | int | None] = {
            "alpha": self.dampening_factor_alpha,
            "tolerance": self.convergence_tolerance,
            "max_iterations": self.max_iterations,
        }
        if self.profile is not None:
            own = {name: PR24[name] if value is None else value for name, value in own.items()}
        return load_case(settings.studies / self.case_name).with_settings(
            profile=self.profile, method=self.method, depth=self.depth, patience=self.patience, **own
        )


def run(spec: Spec, recorder: Recorder, settings: Settings) -> Outcome:
    """Run a case, or go on where an earlier attempt was.

    Raises
    ------
    TriviumError
        As `trivium.coupling.run.run_case`.
    """
    from trivium.coupling import report
    from trivium.coupling.og_clews import proposal
    from trivium.coupling.record import Iteration
    from trivium.coupling.run import run_case

    case, folder = spec.case(settings), settings.studies / spec.case_name

    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201, into the job's log

    table = report.Table(say)

    def watch(done: Iteration) -> None:
        table.add(done)
        recorder.progress(
            f"Iteration {done.number} completed",
            done.number / case.max_iterations,
            iterations_run=done.number,
            convergence_delta=done.figures.get("delta"),
            estimated_error=done.figures.get("error"),
            contraction_rate=done.figures.get("rate"),
            predicted_iterations=done.figures.get("remaining"),
        )

    out = recorder.folder / "results"
    problem, result, files = run_case(case, folder, out, settings, watch, say, accept_changes=spec.accept_changes)
    files |= proposal.write(result, out, strict=case.profile is not None)
    summary = report.summary(problem, result)
    say(f"{result.ending}: {result.reason}")
    names = (
        "iterations_run", "convergence_delta", "estimated_error", "contraction_rate", "spectral_radius",
        "predicted_iterations", "reason",
    )  # fmt: skip
    error = None if result.converged else f"{result.ending}: {result.reason}"
    return Outcome(files, {name: summary[name] for name in names}, str(result.ending), error)


KIND = Kind("Run models that feed each other to a fixed point.", Spec, run, {"case_name": "datacenter_grid"})
