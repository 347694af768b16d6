"""The file of a result: what was run, what came out, and nothing that differs between two machines.

It is JSON with sorted keys and numbers rounded to six significant digits; no time, no name of a machine or person.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trivium import __version__
from trivium.benchmark.player import Episode
from trivium.benchmark.score import excess, share, with_interval
from trivium.errors import InvalidValueError
from trivium.gym.tasks.env import TaskEnv
from trivium.plants.data_center.family import member

#: Of the file's layout and of how scores come about: the second has more days, a battery's schedule and policies that
#: learned among what the oracle begins with, so that its scores are no longer those of the first.
SCHEMA = "trivium-bench-2"
#: Significant digits of numbers.
DIGITS = 6


def document(
    env: TaskEnv,
    level: str,
    policy: Mapping[str, str],
    played: Sequence[Episode],
    rules: Sequence[Episode],
    oracle: Sequence[Episode],
) -> dict[str, Any]:
    """Return the result of a policy.

    Parameters
    ----------
    env : TaskEnv
        Of the test days.
    level : str
    policy : Mapping[str, str]
        ``name`` and ``sha256``.
    played, rules, oracle : sequence of Episode
        The same seeds by the policy, the rule book and the oracle.
    """
    kpi = env.reward.kpi
    failed = math.inf  # a day on which the plant failed has no indicators
    episodes, shares = [], []
    for one, reference, best in zip(played, rules, oracle, strict=True):
        violation = excess(one.costs, reference.costs, env.nominal)
        value = one.kpis.get(kpi, failed)
        shares.append(-1.0 if value is failed else share(value, reference.kpis[kpi], best.kpis[kpi], violation))
        episodes.append(
            {
                "seed": one.seed,
                "day": one.day,
                "reward": one.reward,
                "kpi": dict(one.kpis),
                "cost": dict(one.costs),
                "rules": {"kpi": reference.kpis[kpi], "cost": dict(reference.costs), "reward": reference.reward},
                "oracle": {"kpi": best.kpis[kpi], "cost": dict(best.costs), "reward": best.reward},
                "serves": violation <= 0.0 and value is not failed,
                "score": shares[-1],
            }
        )
    interval = with_interval(shares)
    files = [member.fmu(), *(env.folder / name for name in ("Disturbance.csv", "Signals.csv", "testcase.toml"))]
    return {
        "schema": SCHEMA,
        "task": env.task.name,
        "level": level,
        "objective": kpi,
        "policy": dict(policy),
        "versions": {"trivium": __version__, "member": member.VERSION},
        "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        "seeds": [one.seed for one in played],
        "episodes": episodes,
        "score": interval.mean,
        "interval": [interval.low, interval.high],
        "serves": all(episode["serves"] for episode in episodes),
    }


def as_bytes(result: Mapping[str, Any]) -> bytes:
    """Return the bytes of the file."""
    return (json.dumps(_rounded(result), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def read(path: Path) -> dict[str, Any]:
    """Read a file.

    Raises
    ------
    InvalidValueError
        When it is no result of this layout.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"{path} is no result: {error}", "result") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise InvalidValueError(f"{path} is no result of the layout {SCHEMA}", "result")
    return content


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, float):
        # a sum of zeros may be -0.0; 6 digits of a number near zero would be digits of the last bits
        return 0.0 if abs(value) < 1e-9 else float(f"{value:.{DIGITS}g}")
    return value
