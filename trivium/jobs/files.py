"""Files of jobs that are offered: those of its record, and of a coupled case what there is before its end."""

from __future__ import annotations

from pathlib import Path

from trivium.jobs.record import Job

#: What a coupled case leaves while it runs and where it is cancelled: tables, and what its components print.
_PATTERNS = ("convergence.csv", "values.csv", "work/*/stdout.log", "work/*/stderr.log")


def files_of(job: Job, folder: Path) -> dict[str, str]:
    """Return the files that a job offers by name, with their paths in its folder.

    Parameters
    ----------
    job : Job
    folder : Path
        Of the job.
    """
    if job.kind != "converge":
        return dict(job.files)
    results = folder / "results"
    paths = [path for pattern in _PATTERNS for path in sorted(results.glob(pattern)) if _is_inside(path, results)]
    return {str(path.relative_to(results)): str(path.relative_to(folder)) for path in paths} | dict(job.files)


def _is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path is a file that no symbolic link has elsewhere."""
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())
