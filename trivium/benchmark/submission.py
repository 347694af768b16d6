"""Submissions: a Python file, or a folder with ``policy.py``, that defines ``make_policy``."""

from __future__ import annotations

import hashlib
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from gymnasium import spaces

from trivium.benchmark.network import read
from trivium.benchmark.player import Policy
from trivium.errors import InvalidValueError, TriviumError
from trivium.gym.tasks.env import TaskEnv


class Problem(NamedTuple):
    """What a policy is made for.

    Attributes
    ----------
    task, level : str
    observation_names, cost_names : sequence of str
        What each number of an observation and of the costs is.
    observation_space, action_space : gymnasium.Space
    """

    task: str
    level: str
    observation_names: Sequence[str]
    cost_names: Sequence[str]
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]


class PolicyError(TriviumError):
    """A policy cannot be loaded."""

    status = 400


class Submission:
    """A policy on disk.

    Parameters
    ----------
    path : Path
        A file, or a folder with ``policy.py``; all files of the folder belong to it. A file ``.npz`` is a network.

    Raises
    ------
    InvalidValueError
        When there is no such file.
    """

    def __init__(self, path: Path) -> None:
        folder = path.is_dir()
        self._file = path / "policy.py" if folder else path
        if not self._file.is_file():
            raise InvalidValueError(f"there is no file {self._file}", "policy")
        #: Its name: that of the folder, or of the file without ``.py``.
        self.name = path.resolve().name if folder else path.stem
        files = sorted(each for each in path.rglob("*") if each.is_file()) if folder else [path]
        parts = {each.relative_to(path).as_posix() if folder else "policy.py": each for each in files}
        digest = hashlib.sha256()
        for name, each in parts.items():
            if "__pycache__" not in name:
                digest.update(f"{name}\0{hashlib.sha256(each.read_bytes()).hexdigest()}\n".encode())
        #: Hash of all its files.
        self.sha256 = digest.hexdigest()

    def policy(self, env: TaskEnv, level: str) -> Policy:
        """Make the policy for a task.

        Raises
        ------
        PolicyError
            When it cannot be loaded or made.
        """
        if self._file.suffix == ".npz":
            network = read(self._file)
            if network.mean.shape != env.observation_space.shape:
                trained = network.training.get("task", "another task")
                raise PolicyError(f"{self._file} was trained for {trained} and observes other numbers")
            return network
        problem = Problem(
            env.task.name, level, env.observation_names, env.cost_names, env.observation_space, env.action_space
        )
        folder = str(self._file.parent.resolve())
        sys.path.insert(0, folder)
        try:
            make = runpy.run_path(str(self._file)).get("make_policy")
            if not callable(make):
                raise PolicyError(f"{self._file} defines no function make_policy(problem)")
            return cast("Policy", make(problem))
        except PolicyError:
            raise
        except Exception as error:
            raise PolicyError(f"{self._file}: {type(error).__name__}: {error}") from error
        finally:
            sys.path.remove(folder)
