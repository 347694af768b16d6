"""Readers of `tests.untrusted`, fed with damaged and invented bytes: ``python -m tests.fuzzing --seconds 60``.

Atheris looks, guided by the code that they reach, for bytes at which a reader raises what it does not document,
crashes, or takes longer than some seconds. What it finds is stored in ``build/fuzz/<reader>`` and printed.
`tests/unit/test_untrusted.py` has the readers take some thousand mutations of the same seeds in every run of the tests.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

NAMES = ("description", "frame", "journal")
_FOUND = Path(__file__).parent.parent / "build" / "fuzz"
#: Longest time of one reading, and most memory of a fuzzing process [s, MB].
_LONGEST, _MEMORY = 20, 2048


def fuzz(name: str, seconds: int) -> None:
    """Fuzz a reader in this process, which then ends."""
    import atheris

    with atheris.instrument_imports(include=["trivium", "fmpy", "tests"]):
        reader = importlib.import_module("tests.untrusted").readers()[name]
    folder = _FOUND / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(reader.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-timeout={_LONGEST}", f"-rss_limit_mb={_MEMORY}"]
    atheris.Setup([name, str(corpus), f"-artifact_prefix={folder}/", "-print_final_stats=1", *limits], reader.read)
    atheris.Fuzz()


def main() -> int:
    """Fuzz all readers, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="time for each reader")
    parser.add_argument("--only", choices=NAMES, help="one reader, in this process")
    arguments = parser.parse_args()
    if arguments.only:
        fuzz(arguments.only, arguments.seconds)
    failed = []
    for name in NAMES:
        command = [sys.executable, "-m", "tests.fuzzing", "--only", name, "--seconds", str(arguments.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        figures = [line for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
        print(f"{name}: {' '.join(figures) or 'nothing executed'}, exit code {done.returncode}", flush=True)  # noqa: T201, what make fuzz prints
        if done.returncode:
            failed.append(name)
            print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
