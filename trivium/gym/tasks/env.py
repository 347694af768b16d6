"""The environment of a task."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from trivium.control.controller import Controller
from trivium.control.instruments import KINDS as INSTRUMENT_FAULTS
from trivium.control.instruments import Instruments
from trivium.evaluation.faults import Fault
from trivium.gym.env import DataCenterCoolingEnv
from trivium.gym.spaces import Vector, bounds_of
from trivium.gym.tasks import levels, periods
from trivium.gym.tasks.reward import TaskReward
from trivium.gym.tasks.task import Task, parse
from trivium.plants.data_center.agent import PRICE_BOUNDS, observed
from trivium.plants.data_center.constraints import Costs
from trivium.plants.data_center.family.member import folder_of
from trivium.plants.data_center.family.sizes import nominal_load
from trivium.plants.data_center.faults import HEALTHY, LABELS, LOOPS, draw_episode
from trivium.plants.data_center.rules import RuleBook
from trivium.settings import Settings

DAY, HOUR = 86400.0, 3600.0
#: The price that a task is under: its name in a scenario, and its signal.
PRICE, PRICE_SIGNAL = "highly_dynamic", "PriceElectricPowerHighlyDynamic"
#: What is forecast, how far ahead and how often [s].
FORECAST: Mapping[str, Any] = {
    "point_names": ("TWetBul", "PItDem1", "PItDem2", PRICE_SIGNAL),
    "horizon": 6 * HOUR,
    "interval": HOUR,
}
#: How long before an episode the plant is simulated under its start values [s].
WARMUP = 6 * HOUR
#: Reward of a step in which the plant failed: worse than any day.
FAILURE_REWARD = -1e4
#: The names of what is observed of the clock.
CLOCK = ("sin(day)", "cos(day)", "sin(week)", "cos(week)")


class TaskEnv(gymnasium.Env[NDArray[np.float32], Any]):
    """A data centre under a task: docs/tasks.md describes ids, levels, splits, spaces, rewards and costs.

    Parameters
    ----------
    task : str or Task
        Its id.
    level : str
        Key of `levels.LEVELS`.
    split : str
        Key of `periods.SPLITS`: the days on which episodes begin.
    objective : str
        Key of `reward.OBJECTIVES`: what the electricity counts by.
    plant : str
        Where the plant runs: ``in-process`` or ``host``.
    state_dir : Path or str, optional
        Where the member's test case is made and kept; default: that of the settings.
    render_mode : None
        There is nothing to see.

    Raises
    ------
    InvalidValueError
        Naming the parameter that is wrong.
    TriviumError
        When the plant cannot be opened.
    """

    metadata = {"render_modes": []}  # noqa: RUF012, as Gymnasium declares it

    def __init__(
        self,
        task: str | Task,
        *,
        level: str = "perfect",
        split: str = "train",
        objective: str = "cost",
        plant: str = "in-process",
        state_dir: Path | str | None = None,
        render_mode: None = None,
    ) -> None:
        self.render_mode = render_mode
        #: The task.
        self.task = task if isinstance(task, Task) else parse(task)
        self._level = levels.level(level)
        #: IT load that the plant is built for [W].
        self.nominal = nominal_load(self.task.member.size)
        #: The reward.
        self.reward = TaskReward(self.nominal, objective)
        self._days = periods.days(split)
        state = Settings(state_dir=None if state_dir is None else Path(state_dir)).state_dir
        bounds = observed(self.nominal, storage=self.task.member.storage)
        #: The member's test case.
        self.folder = folder_of(self.task.member, state)
        #: The data centre, which takes inputs by name (`apply`).
        self.inner = DataCenterCoolingEnv(
            plant,
            resources=self.folder,
            state_dir=state,
            observations=[*bounds, *self.task.kind.commands, PRICE_SIGNAL],
            forecast=FORECAST,
            actions=list(self.task.kind.commands),
            reward=self.reward,
            bounds={**bounds, PRICE_SIGNAL: PRICE_BOUNDS},
            step=self.task.kind.step,
            episode=DAY,
            start_times=[DAY * day for day in self._days],
            warmup=WARMUP,
            scenario={"electricity_price": PRICE, "temperature_uncertainty": self._level.uncertainty or "none"},
            kpis=("ener_tot", "cost_tot"),
            failure_reward=FAILURE_REWARD,
        )
        size = len(self.inner.observation_names) + len(CLOCK)
        self.observation_space = spaces.Box(-1.0, 1.0, (size,), np.float32)
        self._deviation = self._noise()
        inputs = self.inner.plant.inputs
        self._commands = Vector(
            self.task.kind.commands, *bounds_of(inputs, self.task.kind.commands, {}), normalise=True
        )
        choices = self.task.kind.choices
        self.action_space: spaces.Space[Any] = spaces.MultiDiscrete(list(choices)) if choices else self._commands.space
        parameters = self.inner.plant.parameters
        self._nominal = {name: float(parameters[name].start or 0.0) for name in self._level.mismatch}
        self._rules: Controller = RuleBook(self.nominal, self.task.kind.step)
        self._fault, self._faults = HEALTHY, list[Fault]()
        self._instruments = Instruments()

    @property
    def observation_names(self) -> tuple[str, ...]:
        """What each number of an observation is."""
        return (*self.inner.observation_names, *CLOCK)

    @property
    def values(self) -> Mapping[str, float]:
        """Measurements and commands by name as sensors show them: with their faults, without their noise."""
        return self._instruments.sensed(self.inner.time, self.inner.values)

    @property
    def fault(self) -> str:
        """Cause of the fault of the episode, whether it has begun or not; ``none`` where there is none."""
        return self._fault

    @property
    def fault_names(self) -> tuple[str, ...]:
        """What each number of ``info["fault"]`` is."""
        return LABELS

    @property
    def cost_names(self) -> tuple[str, ...]:
        """What each number of ``info["cost"]`` is."""
        return Costs._fields

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode.

        Parameters
        ----------
        seed : int, optional
            Of the days, forecast errors, noise and plants that are drawn from now on.
        options : dict, optional
            ``start_time`` [s] instead of a day that is drawn; or ``snapshot``: go on from what `snapshot` stored.
        """
        super().reset(seed=seed)
        options = dict(options or {})
        if "snapshot" in options:
            snapshot, rules, random, (self._fault, self._faults), sensors = options["snapshot"]
            self._rules, self._instruments = copy.deepcopy(rules), copy.deepcopy(sensors)
            self.reward.forget()
            observation, info = self.inner.reset(options={"snapshot": snapshot})
            sensed = self._observed(observation)
            self.np_random.bit_generator.state = random  # what comes is drawn as it was
            return sensed, self._info(info)
        drawn = DAY * self._days[int(self.np_random.integers(len(self._days)))]
        options.setdefault("start_time", drawn)
        if self._level.uncertainty is not None:
            self.inner.plant.set_scenario(seed=int(self.np_random.integers(2**31)))
        if self._level.mismatch:
            options["start_values"] = levels.drawn_plant(self._level, self._nominal, self.np_random)
        if self._level.faults:
            self._draw_faults(options["start_time"])
        self.reward.forget()
        observation, info = self.inner.reset(options=options)
        self._rules.reset(self.values, self.inner.boundary)
        return self._observed(observation), self._info(info)

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Simulate a control step.

        Returns
        -------
        observation : array of shape (n,), float32
        reward : float
            [currency/MW]; see `trivium.gym.tasks.reward`.
        terminated : bool
            Whether the plant failed.
        truncated : bool
            Whether the day is over.
        info : dict
            ``cost``: the costs of the step, an array in the order of `cost_names`; ``time`` [s]; ``kpi``; at a level
            with faults ``fault``: the number in `fault_names` of what the step was simulated under.
        """
        return self.apply(self._decided(action))

    def apply(self, inputs: Mapping[str, float]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Simulate a control step under commands by name; the rule book decides on those that are left out."""
        rules = self._rules.action(self.values, self.inner.boundary)
        acting = self._instruments.acting(self.inner.time, {**rules, **inputs})
        observation, reward, terminated, truncated, info = self.inner.apply(acting)
        return self._observed(observation), reward, terminated, truncated, self._info(info)

    def action_of(self, commands: Mapping[str, float]) -> Any:
        """Return the action, an element of the action space, that gives these commands."""
        kind = self.task.kind
        values = np.array([commands[name] for name in kind.commands], dtype=np.float64)
        return np.round(values).astype(np.int64) if kind.choices else self._commands.encode(values)

    def rules(self) -> Controller:
        """Return a copy of the rule book, as it stands."""
        return copy.deepcopy(self._rules)

    def snapshot(self) -> Any:
        """Store the episode as it stands, for the option ``snapshot`` of `reset`."""
        past = copy.deepcopy((self._rules, self._instruments))
        random = self.np_random.bit_generator.state
        return self.inner.snapshot(), past[0], random, (self._fault, self._faults), past[1]

    def close(self) -> None:
        """End the plant."""
        self.inner.close()

    def _decided(self, action: Any) -> dict[str, float]:
        kind = self.task.kind
        values = [float(choice) for choice in action] if kind.choices else self._commands.decode(action).tolist()
        return dict(zip(kind.commands, values, strict=True))

    def _observed(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        turn = 2.0 * np.pi * self.inner.time / DAY
        clock = (np.sin(turn), np.cos(turn), np.sin(turn / 7), np.cos(turn / 7))
        if self._level.faults:
            observation = self.inner.observe(self.values)
        sensed = observation.astype(np.float64)
        if self._level.noise:
            sensed = sensed + self._deviation * self.np_random.standard_normal(observation.size)
        clipped: NDArray[np.float32] = np.clip(np.concatenate((sensed, clock)), -1.0, 1.0).astype(np.float32)
        return clipped

    def _info(self, info: dict[str, Any]) -> dict[str, Any]:
        info = {**info, "cost": np.array(self.reward.costs)}
        if not self._level.faults:
            return info
        simulated = self.inner.time - self.task.kind.step
        active = any(fault.active(simulated) for fault in self._faults)
        return {**info, "fault": LABELS.index(self._fault) if active else 0}

    def _draw_faults(self, start: float) -> None:
        """Draw the fault of an episode: in the plant, as part of its scenario, or at the instruments."""
        self._fault, self._faults = draw_episode(start, self.task.kind.step, self.np_random)
        sensors = [fault for fault in self._faults if fault.kind in INSTRUMENT_FAULTS]
        plant = [fault.as_dict() for fault in self._faults if fault not in sensors]
        self.inner.plant.set_scenario(faults=plant)
        self._instruments = Instruments(sensors, LOOPS)

    def _noise(self) -> NDArray[np.float64]:
        """Return the standard deviation of the noise of each number of the inner observation."""
        vector, units = self.inner.vector, {name: each.unit for name, each in self.inner.plant.measurements.items()}
        units |= {name: each.unit for name, each in self.inner.plant.forecast_points.items()}
        deviation = [self._level.noise.get(units.get(name, ""), 0.0) for name in vector.names]
        return 2.0 * np.array(deviation) / (vector.high - vector.low)
