"""``trivium bench``: policies and baselines on tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trivium.cli import options
from trivium.cli.types import Whole

if TYPE_CHECKING:
    from trivium.benchmark.run import Bench

_task = click.option("--task", required=True, metavar="ID", help="A task: DC-SetPoints-5A-5MW-v1.")
_level = click.option(
    "--level", default="perfect", show_default=True, help="perfect, forecast, noise, mismatch or faults."
)
_objective = click.option("--objective", default="cost", show_default=True, help="cost or energy.")
_seeds = click.option("--seeds", type=Whole(1), default=39, show_default=True, metavar="N", help="How many days.")
_policy = click.option(
    "--policy",
    required=True,
    metavar="FILE",
    help="A Python file or folder with make_policy, a network (.npz), or a baseline's name.",
)
_out = click.option(
    "--out", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it here."
)


@click.group()
def bench() -> None:
    """Score policies on tasks.

    docs/tasks.md describes tasks, scores and results.
    """


@bench.command()
@_policy
@_task
@_level
@_objective
@_seeds
@_out
@options.as_json
def run(policy: str, task: str, level: str, objective: str, seeds: int, out: Path | None, as_json: bool) -> None:
    """Run a policy on the test days of a task.

    The same policy gives the same file, to the byte.
    """
    from trivium.benchmark import result
    from trivium.benchmark.run import opened
    from trivium.benchmark.run import run as run_policy

    with opened(task, level, objective, range(seeds)) as opened_bench:
        found = run_policy(opened_bench, policy)
    if out is not None:
        _write(result.as_bytes(found), out)
    options.show(_summary(found), found, as_json=as_json)


@bench.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), help="A result.")
@click.option("--policy", metavar="FILE", help="The policy of the result.  [default: the baseline of its name]")
@options.as_json
def verify(file: Path, policy: str | None, as_json: bool) -> None:
    """Run the policy of a result again and compare the bytes."""
    from trivium.benchmark import result
    from trivium.benchmark.run import opened
    from trivium.benchmark.run import run as run_policy
    from trivium.errors import InvalidValueError

    given = result.read(file)
    objective = {"cost_tot": "cost", "ener_tot": "energy"}[given["objective"]]
    with opened(given["task"], given["level"], objective, given["seeds"]) as opened_bench:
        found = run_policy(opened_bench, policy or given["policy"]["name"])
    if result.as_bytes(found) != file.read_bytes():
        raise InvalidValueError(f"{file} differs from what its policy gives: {_difference(given, found)}", "result")
    text = f"{file} is what its policy gives. {_summary(found)}"
    options.show(text, {"file": str(file), "same": True, "score": found["score"]}, as_json=as_json)


@bench.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), help="Where results are (*.json).")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default="leaderboard.html",
    show_default=True,
    metavar="FILE",
    help="Write the page here.",
)
@options.as_json
def page(folder: Path, out: Path, as_json: bool) -> None:
    """Write the leaderboard of a folder of results as an HTML page."""
    from trivium.benchmark import page as leaderboard

    _write(leaderboard.write(folder).encode(), out)
    options.show(f"The leaderboard is in {out}", {"file": str(out)}, as_json=as_json)


@bench.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", help="[default: all]")
@_task
@_level
@_objective
@_seeds
@click.option(
    "--results", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Write results here."
)
@options.as_json
def baselines(
    names: tuple[str, ...], task: str, level: str, objective: str, seeds: int, results: Path | None, as_json: bool
) -> None:
    """Run baselines on a task and print their table."""
    from trivium.benchmark import result
    from trivium.benchmark.report import markdown
    from trivium.benchmark.run import opened

    with opened(task, level, objective, range(seeds)) as opened_bench:
        found = [_one(opened_bench, name) for name in names or opened_bench.names]
    if results is not None:
        results.mkdir(parents=True, exist_ok=True)
        for each in found:
            _write(result.as_bytes(each), results / f"{task}-{level}-{objective}-{each['policy']['name']}.json")
    options.show(markdown(found), found, as_json=as_json)


@bench.command()
@click.argument("quality", help="expert, medium, simple or random, or the name of a baseline.")
@_task
@_level
@click.option("--episodes", type=Whole(1), default=50, show_default=True, metavar="N", help="How many days.")
@options.as_json
def dataset(quality: str, task: str, level: str, episodes: int, as_json: bool) -> None:
    """Write a data set for offline learning, by Minari, of a baseline on the training days of a task."""
    import contextlib

    from trivium.benchmark.dataset import export
    from trivium.gym.tasks.env import TaskEnv

    with contextlib.closing(TaskEnv(task, level=level)) as env:
        name = export(env, quality, level, episodes)
    text = f'{name} is written; read it with minari.load_dataset("{name}")'
    options.show(text, {"dataset": name, "episodes": episodes}, as_json=as_json)


@bench.command()
@click.argument("algorithm", help="sac, ppo or iql.")
@_task
@_level
@click.option("--seed", type=Whole(0), default=0, show_default=True, metavar="N", help="Of what is drawn.")
@click.option("--steps", type=Whole(1), metavar="N", help="How long it learns.  [default: by algorithm]")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default="policy.npz",
    show_default=True,
    metavar="FILE",
    help="Write the network here.",
)
@options.as_json
def train(algorithm: str, task: str, level: str, seed: int, steps: int | None, out: Path, as_json: bool) -> None:
    """Train a baseline that learns, on the training days of a task.

    The best of its policies on validation days is written, for `trivium bench run --policy`.
    """
    from trivium.benchmark.train import train as trained

    def progress(learned: int, value: float) -> None:
        options.note(f"{learned} steps: {value:.2f} on a validation day")

    network = trained(algorithm, task, seed, steps, level, progress=progress)
    _write(network.as_bytes(), out)
    options.show(f"{out} holds the policy", {"file": str(out), **network.training}, as_json=as_json)


@bench.command()
@_task
@click.option("--episodes", type=Whole(1), default=300, show_default=True, metavar="N", help="How many test days.")
@options.as_json
def detect(task: str, episodes: int, as_json: bool) -> None:
    """Detect the faults of test days by a baseline and print its rates."""
    from trivium.benchmark import detection

    rates = detection.detect(task, episodes)
    options.show(detection.markdown(rates), rates, as_json=as_json)


def _one(opened_bench: Bench, name: str) -> dict[str, Any]:
    found = opened_bench.baseline(name)
    options.note(_summary(found))
    return found


def _write(content: bytes, path: Path) -> None:
    from trivium.storage import replace_file

    replace_file(path, content)


def _summary(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    serves = "" if found["serves"] else ", does not serve"
    return f"{found['policy']['name']}: score {found['score']:.3f} ({low:.3f} to {high:.3f}){serves}"


def _difference(given: dict[str, Any], found: dict[str, Any]) -> str:
    """Return the first parts that differ, by name."""
    import json

    from trivium.benchmark import result

    again = json.loads(result.as_bytes(found))
    parts = [name for name in sorted({*given, *again}) if given.get(name) != again.get(name)]
    return ", ".join(parts) or "the order or the digits of its numbers"
