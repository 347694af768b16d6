"""Tasks about the family of data centres, with ids that can be cited; docs/tasks.md.

::

    import gymnasium
    import trivium.gym

    env = gymnasium.make("trivium/DC-SetPoints-5A-5MW-v1", level="forecast", split="train")
"""

from __future__ import annotations

import gymnasium

from trivium.gym.tasks.task import NAMESPACE, names


def register() -> None:
    """Register all tasks in Gymnasium."""
    for name in names():
        key = f"{NAMESPACE}/{name}"
        if key not in gymnasium.registry:
            gymnasium.register(key, entry_point="trivium.gym.tasks.env:TaskEnv", kwargs={"task": name})
