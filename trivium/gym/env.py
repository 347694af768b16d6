"""The plant as an environment of Gymnasium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError, ModelError
from trivium.gym.actions import make_actions
from trivium.gym.boundary import Forecast
from trivium.gym.observation import Observer
from trivium.gym.plants import open_plant
from trivium.gym.reward import LEAST_FAILURE, Reward, RewardFunction, Transition, default_weights
from trivium.gym.spaces import Vector
from trivium.model.linearization import Linearization
from trivium.protocol import Simulation

DAY = 86400.0
#: Options of `reset`.
OPTIONS = ("start_time", "start_values", "snapshot")
#: The indicator that is not of the plant but of how fast the agent is: another one in every run.
_OF_THE_CLIENT = "time_rat"
#: Longer than any boundary data [s].
_EVER = 1e10


class DataCenterCoolingEnv(gymnasium.Env[NDArray[np.float32], Any]):
    """A plant that an agent controls, one control step a `step`.

    An episode ends by truncation, after its length; it terminates only when the plant fails, which leaves it
    unchanged and costs more than to go on in the worst way. docs/gym.md describes spaces, rewards and infos.

    Parameters
    ----------
    plant : str
        ``in-process``, ``host`` (a process of its own, no HTTP) or the address of a server. The numbers are the same.
    resources, state_dir : Path or str, optional
        Test case and place for files of a plant without a server; default: those of the settings.
    testcase : str, optional
        Test case of a server.
    token : str, optional
        For a server that asks for one.
    observations : sequence of str, optional
        Measurements, inputs and boundary signals; default: all measurements, and the boundary signals that
        have bounds.
    forecast : Mapping, optional
        ``point_names``, ``horizon``, ``interval`` [s]: observe boundary signals ahead too, the first an interval ahead.
    actions : str or sequence of str
        ``all`` inputs, some of them by name (the others keep what they have), ``staging`` or ``staging-flat``.
    reward : Mapping[str, float] or Callable, optional
        Weights of terms (see `Reward`), or a function of a `Transition`.
    normalise : bool
        Whether the boxes are [-1, 1] instead of the bounds.
    bounds : Mapping[str, tuple of float], optional
        Bounds of points that take the place of the plant's.
    step : float, optional
        Control step [s]; default: that of the test case.
    episode : float
        Length of an episode [s], a multiple of the control step.
    start_times : float or sequence of float, optional
        Where episodes start [s], drawn with the environment's seed; default: the start of the scenario's
        time period, or every midnight that the boundary data has room for, 0 where there is none.
    warmup : float
        How long before the start the simulation begins [s]; the plant makes the least of it that it needs.
    start_values : Mapping, optional
        Parameters and start values of the plant, set at every start.
    scenario : Mapping, optional
        Parts of the plant's scenario, like ``time_period`` and ``temperature_uncertainty``.
    kpis : sequence of str
        Key performance indicators for every info; a call of the plant a step, whatever their number.
    failure_reward : float, optional
        Reward of each control step that a failure of the plant leaves undone, from the failed one to the end of the
        episode; never more than the worst of a step so far. Default: the worst that the terms of the reward can be, at
        most -100.
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
        plant: str = "in-process",
        *,
        resources: Path | str | None = None,
        state_dir: Path | str | None = None,
        testcase: str | None = None,
        token: str | None = None,
        observations: Sequence[str] | None = None,
        forecast: Mapping[str, Any] | None = None,
        actions: str | Sequence[str] = "all",
        reward: Mapping[str, float] | RewardFunction | None = None,
        normalise: bool = True,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        step: float | None = None,
        episode: float = DAY,
        start_times: float | Sequence[float] | None = None,
        warmup: float = 0.0,
        start_values: Mapping[str, Any] | None = None,
        scenario: Mapping[str, Any] | None = None,
        kpis: Sequence[str] = (),
        failure_reward: float | None = None,
        render_mode: None = None,
    ) -> None:
        self.render_mode = render_mode
        self._warmup, self._start_values = warmup, dict(start_values or {})
        self._plant, self._close = open_plant(
            plant,
            None if resources is None else Path(resources),
            None if state_dir is None else Path(state_dir),
            testcase,
            token,
        )
        try:
            start = self._plant.set_scenario(**scenario).get("time_period") if scenario else None
            if start is not None and start_times is None:
                start_times = start.time
            if step is not None:
                self._plant.set_step(step)
            self._step = self._plant.step
            self._episode = _whole_steps(episode, self._step)
            weights = default_weights(self._plant.kpi_points) if reward is None else reward
            self._reward = weights if callable(weights) else Reward(weights)
            self._worst = _worst(self._reward, self._step) if failure_reward is None else failure_reward
            needed: tuple[Sequence[str], Sequence[str]] = ((), ())
            if isinstance(self._reward, Reward):
                self._reward.check(self._plant.measurements)
                needed = self._reward.boundary, self._reward.kpis
            self._kpis, self._needed_kpis = tuple(kpis), tuple(dict.fromkeys((*kpis, *needed[1])))
            self._kpi = self._indicators()
            self._actions = make_actions(actions, self._plant, bounds or {}, normalise=normalise)
            self._observer = Observer(
                self._plant,
                observations,
                None if forecast is None else Forecast(**forecast),
                bounds or {},
                [*self._actions.boundary, *needed[0]],
                self._step,
                round(self._episode / self._step),
                uncertain=(scenario or {}).get("temperature_uncertainty") not in (None, "none"),
                normalise=normalise,
            )
            self._starts = _starts(self._plant, start_times, self._episode)
        except BaseException:
            self._close()
            raise
        self.action_space = self._actions.space
        self.observation_space = self._observer.vector.space
        self._values: Mapping[str, float] = {}
        self._end = self._time = 0.0

    @property
    def plant(self) -> Simulation:
        """The plant, as it stands in the episode."""
        return self._plant

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self._time

    @property
    def vector(self) -> Vector:
        """What an observation is made of: names and bounds of its numbers."""
        return self._observer.vector

    @property
    def observation_names(self) -> tuple[str, ...]:
        """What each number of an observation is."""
        return self._observer.vector.names

    @property
    def values(self) -> Mapping[str, float]:
        """All measurements and inputs as they are now, by name."""
        return self._values

    @property
    def boundary(self) -> Mapping[str, float]:
        """The boundary signals of the coming step that observations, actions or the reward need, by name."""
        return self._observer.boundary.present()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode.

        Parameters
        ----------
        seed : int, optional
            Of the starts that are drawn from now on.
        options : dict, optional
            ``start_time`` [s] instead of one that is drawn; ``start_values`` for this episode, before those of the
            environment; or ``snapshot``: go on from what `snapshot` stored.
        """
        super().reset(seed=seed)
        options = options or {}
        for name in options:
            if name not in OPTIONS:
                raise InvalidValueError(f"There is no option {name}; there are {', '.join(OPTIONS)}.", name)
        if "snapshot" in options:
            snapshot, self._values, self._end, past = options["snapshot"]
            time = self._plant.restore(snapshot)
        else:
            drawn = self._starts[int(self.np_random.integers(len(self._starts)))]
            start, past = float(options.get("start_time", drawn)), None
            start_values = {**self._start_values, **options.get("start_values", {})}
            self._end = start + self._episode
            self._values = observation = self._plant.initialize(start, self._end, self._warmup, start_values or None)
            time = observation.time
        self._time = time
        self._kpi = self._indicators()
        self._observer.boundary.move(time)
        if past is None:
            self._actions.reset(self._values, self.boundary)
        else:
            self._actions.resume(past)
        return self._observer.observe(self._values), self._info(time)

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Simulate a control step.

        Returns
        -------
        observation : array of shape (n,), float32
        reward : float
        terminated : bool
            Whether the plant failed, or ended the simulation itself.
        truncated : bool
            Whether the episode has its length.
        info : dict
            ``time`` [s]; ``kpi``, the indicators that were asked for, until now, and all of them at the end of the
            episode; ``terms`` of the reward; ``error`` of a plant that failed; ``ended`` where the plant ended the
            simulation itself.
        """
        return self.apply(self._actions.decode(action, self._values, self.boundary))

    def apply(self, inputs: Mapping[str, float]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Simulate a control step under inputs of the plant by name, whatever the action space; see `step`."""
        before, boundary = self._values, self.boundary
        try:
            # what stays as it is need not be sent
            changed = {name: value for name, value in inputs.items() if before.get(name) != value}
            after = self._plant.advance(changed, clamp=True)
        except (ModelError, InvalidValueError) as error:
            observation = self._observer.observe(before)
            return observation, self._failure(), True, False, {**self._info(self._time), "error": str(error)}
        if not after and self._time < self._end - self._step / 2:  # the plant ended the simulation itself
            return (
                self._observer.observe(before),
                self._failure(),
                True,
                False,
                {**self._info(self._time), "ended": True},
            )
        if not after:
            raise InvalidValueError("The episode is over: reset the environment.", "action")
        time = self._time = after.time
        truncated = time > self._end - self._step / 2
        self._values = after
        self._observer.boundary.move(time)
        earlier, self._kpi = self._kpi, self._indicators()
        gained = {name: value - earlier[name] for name, value in self._kpi.items()}
        transition = Transition(time, self._step, before, after, boundary, gained)
        info = self._info(time)
        if truncated:
            kpis = self._plant.kpis()
            info["kpi"] = {name: value for name, value in kpis.items() if value is not None and name != _OF_THE_CLIENT}
        if isinstance(self._reward, Reward):
            info["terms"] = self._reward.terms(transition)
            reward = self._reward.total(info["terms"])
        else:
            reward = float(self._reward(transition))
        self._worst = min(self._worst, reward)
        return self._observer.observe(after), reward, False, truncated, info

    def snapshot(self) -> Any:
        """Store the episode as it stands, for the option ``snapshot`` of `reset`."""
        return self._plant.snapshot(), self._values, self._end, self._actions.past()

    def observe(self, values: Mapping[str, float]) -> NDArray[np.float32]:
        """Return the observation of other measurements and inputs, like those of faulty sensors, at this time."""
        return self._observer.observe(values)

    def linearize(self, *arguments: Any, **options: Any) -> Linearization:
        """Return a linear model of the plant about now, in its own units; see `Simulation.linearize`."""
        return self._plant.linearize(*arguments, **options)

    def _failure(self) -> float:
        """Return the reward for all control steps that are left undone."""
        return self._worst * max(round((self._end - self._time) / self._step), 1)

    def _indicators(self) -> dict[str, float]:
        """Return the key performance indicators that are needed; 0 for those that nothing was simulated for yet."""
        if not self._needed_kpis:
            return {}
        kpis = self._plant.kpis(self._needed_kpis)
        return {name: kpis[name] or 0.0 for name in self._needed_kpis}

    def _info(self, time: float | None) -> dict[str, Any]:
        info: dict[str, Any] = {"time": time}
        if self._kpis:
            info["kpi"] = {name: self._kpi[name] for name in self._kpis}
        return info

    def close(self) -> None:
        """End the plant."""
        self._close()
        self._close = _nothing


def _nothing() -> None:
    """Do nothing: what was closed once stays so."""


def _worst(reward: RewardFunction, step: float) -> float:
    """Return the worst reward of a control step of a length [s], as far as that is known before there was one."""
    return reward.worst(step) if isinstance(reward, Reward) else -LEAST_FAILURE


def _whole_steps(episode: float, step: float) -> float:
    count = episode / step
    if count < 1 or abs(count - round(count)) > 1e-9:
        raise InvalidValueError(
            f"Invalid value {episode} for parameter episode. It must be a multiple of the control step of {step} s.",
            "episode",
        )
    return float(episode)


def _starts(plant: Simulation, start: float | Sequence[float] | None, episode: float) -> list[float]:
    """Return the times where an episode may start [s]."""
    if isinstance(start, float | int):
        return [float(start)]
    if start is not None:
        starts = [float(time) for time in start]
    else:
        signals = list(plant.forecast_points)[:1]
        if not signals:
            return [0.0]
        midnights = plant.forecast(signals, _EVER, DAY)["time"]
        starts = [float(time) for time in midnights if time + episode <= midnights[-1]]
    if not starts:
        raise InvalidValueError("There is no time where an episode could start.", "start_times")
    return starts
