"""The plant as an environment of Gymnasium; importing this module registers it.

::

    import gymnasium
    import trivium.gym

    env = gymnasium.make("trivium/DataCenterCooling-v0")

See docs/gym.md. Needs the extra ``gym``.
"""

from trivium.extras import missing

try:
    import gymnasium
except ImportError as error:
    raise ImportError(str(missing("Gymnasium", "gym"))) from error

from trivium.gym.env import DataCenterCoolingEnv
from trivium.gym.reward import Reward, Transition
from trivium.gym.tasks import register as register_tasks

__all__ = ["ENV_ID", "DataCenterCoolingEnv", "Reward", "Transition"]

#: Name of the environment.
ENV_ID = "trivium/DataCenterCooling-v0"

if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point="trivium.gym.env:DataCenterCoolingEnv")

register_tasks()
