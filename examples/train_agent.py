"""Train an agent that runs the plant, and judge it on days that it has never seen.

``python examples/train_agent.py`` trains stable-baselines3's SAC (the extra ``train``) for a few minutes on one thread.
The agent decides every 15 minutes how the plant is staged and on two set points. Days whose number leaves 3 when
divided by 7 are for the judgement, all others for training; random actions and the rule book act on the same days.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import SAC
from stable_baselines3.common.monitor import Monitor

from trivium.control.palette import COLOURS
from trivium.gym import DataCenterCoolingEnv
from trivium.plants.cooling.rules import INPUTS, RuleBasedController

DAY = 86400.0
STEP = 900.0
#: Days of the year that have a day of data after them.
DAYS = range(347)
TRAINING = [day * DAY for day in DAYS if day % 7 != 3]
JUDGEMENT = [day * DAY for day in DAYS if day % 7 == 3][::2]
#: What the agent sees, in the range where the plant works: numbers of the size of one help to learn.
SEEN = {
    "Tchw_supply": (283.15, 293.15),
    "Tcw_supply": (278.15, 303.15),
    "Tcw_returnPipe": (278.15, 313.15),
    "P_Chillers_sum": (0.0, 1e6),
    "P_CDWPs_sum": (0.0, 4e5),
    "P_CHWPs_sum": (0.0, 4e5),
    "P_CTfans_sum": (0.0, 4e5),
    "VolumeFlowRate_cw": (0.0, 1.0),
    "Twb_outside": (258.15, 303.15),
    "Mchw": (50.0, 450.0),
    "Tchw_r": (286.15, 298.15),
}

#: What acts: takes the environment and the observation, returns an action.
Policy = Callable[[DataCenterCoolingEnv, Any], Any]


class Outcome(NamedTuple):
    """What came of a day.

    Attributes
    ----------
    reward : float
    energy : float
        Electricity [kWh].
    unserved : float
        Heat that was not removed [kWh].
    violation : float
        Water off its set point, as the hall gets it [K h].
    """

    reward: float
    energy: float
    unserved: float
    violation: float


class Curve(NamedTuple):
    """How an agent learned.

    Attributes
    ----------
    steps : array of shape (n_episodes,)
        Steps that were done when each day of training ended.
    rewards : array of shape (n_episodes,)
    """

    steps: NDArray[Any]
    rewards: NDArray[Any]


def make(starts: Sequence[float], **options: Any) -> DataCenterCoolingEnv:
    """Return the agent's environment, with episodes of a day."""
    return DataCenterCoolingEnv(
        actions="staging-flat", observations=list(SEEN), bounds=SEEN, step=STEP, start_times=starts, **options
    )


def train(steps: int, seed: int, **options: Any) -> tuple[SAC, Curve]:
    """Return an agent that has learned for so many steps, and how it learned."""
    torch.set_num_threads(1)
    env = Monitor(make(TRAINING, **options))
    agent = SAC(
        "MlpPolicy", env, seed=seed, device="cpu", gamma=0.9, learning_rate=7e-4, learning_starts=1000, train_freq=4,
        gradient_steps=4, policy_kwargs={"net_arch": [64, 64]},
    )  # fmt: skip
    agent.learn(steps)
    env.close()
    return agent, Curve(np.cumsum(env.get_episode_lengths()), np.array(env.get_episode_rewards()))


def draw(curves: Mapping[int, Curve], rules: float, path: Path) -> None:
    """Draw how agents learned: the reward of each day, its mean over 20 days, and what the rule book has."""
    from matplotlib.figure import Figure  # of the extra results

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, (seed, curve) in enumerate(curves.items()):
        colour, window = COLOURS[place % len(COLOURS)], min(20, curve.rewards.size)
        axes.plot(curve.steps, curve.rewards, ".", color=colour, alpha=0.25, markersize=3)
        if window:
            smooth = np.convolve(curve.rewards, np.full(window, 1 / window), mode="valid")
            axes.plot(curve.steps[window - 1 :], smooth, color=colour, label=f"seed {seed}, mean of {window} days")
    axes.axhline(rules, color="black", linewidth=0.8, linestyle="--", label="rule book, on the days of the judgement")
    axes.set(title="Training", xlabel="steps", ylabel="reward of a day")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    # the first days are so bad that nothing else would be seen
    lows = [float(np.quantile(curve.rewards, 0.1)) for curve in curves.values() if curve.rewards.size]
    highs = [float(curve.rewards.max()) for curve in curves.values() if curve.rewards.size]
    low, high = min([2 * rules, *lows]), max([rules, *highs])
    axes.set_ylim(low, high + 0.05 * (high - low))
    axes.margins(x=0.01)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", frameon=False, loc="lower right")
    figure.savefig(path, dpi=110)


def judge(env: DataCenterCoolingEnv, policy: Policy, days: Sequence[float]) -> list[Outcome]:
    """Let a policy act on days; return what came of each."""
    outcomes = []
    for start in days:
        observation, _ = env.reset(options={"start_time": start})
        total = np.zeros(4)
        over = False
        while not over:
            observation, reward, terminated, truncated, info = env.step(policy(env, observation))
            total += (reward, info["terms"]["ener_tot"], info["terms"]["unserved_tot"], info["terms"]["tdis_tot"])
            over = terminated or truncated
        outcomes.append(Outcome(*total.tolist()))
    return outcomes


def of_agent(agent: SAC) -> Policy:
    """Return what the agent thinks best."""
    return lambda _, observation: agent.predict(observation, deterministic=True)[0]


def at_random(seed: int) -> Policy:
    """Return actions that are drawn from the whole space."""
    random = np.random.default_rng(seed)
    return lambda env, _: random.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)


def by_the_book() -> Policy:
    """Return the rule-based controller at the beginning of a day."""
    controller = RuleBasedController()
    begun = False

    def policy(env: DataCenterCoolingEnv, _: Any) -> Any:
        nonlocal begun
        if not begun:
            controller.reset(env.values, env.boundary)
            begun = True
        action = controller.action(env.values, env.boundary)
        return np.array([action[name] for name in INPUTS], dtype=np.float32)

    return policy


def judge_rules(days: Sequence[float], **options: Any) -> list[Outcome]:
    """Let the rule-based controller act on days, every 300 s as it is made for."""
    env = DataCenterCoolingEnv(actions=list(INPUTS), normalise=False, **options)
    outcomes = [judge(env, by_the_book(), [day])[0] for day in days]
    env.close()
    return outcomes


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    """Return a line of the table: means over days, and the worst day."""
    reward, energy, unserved, violation = (statistics.mean(values) for values in zip(*outcomes, strict=True))
    worst = min(outcome.reward for outcome in outcomes)
    return f"| {name} | {reward:.1f} | {worst:.1f} | {energy:.0f} | {unserved:.0f} | {violation:.2f} |"


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=32_000, help="steps to learn for (default 32000)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one agent for each (default 0)")
    parser.add_argument(
        "--days", type=int, default=len(JUDGEMENT), help=f"days of the judgement, at most {len(JUDGEMENT)}"
    )
    parser.add_argument("--out", type=Path, help="file for the last agent (.zip)")
    parser.add_argument("--curve", type=Path, help="picture of the training (.png, .svg or .pdf)")
    options = parser.parse_args()
    days = JUDGEMENT[:: max(len(JUDGEMENT) // options.days, 1)][: options.days]
    env = make(days)
    print(f"{len(days)} days, means of a day\n")
    print("| | reward | worst | electricity [kWh] | unserved heat [kWh] | violation [K h] |\n|---|--:|--:|--:|--:|--:|")
    print(row("random actions", [one for seed in range(3) for one in judge(env, at_random(seed), days)]), flush=True)
    rules = judge_rules(days)
    print(row("rule book", rules), flush=True)
    curves = {}
    for seed in options.seeds:
        started = time.perf_counter()
        agent, curves[seed] = train(options.steps, seed)
        seconds = time.perf_counter() - started
        print(
            row(f"agent, seed {seed}, {options.steps} steps in {seconds:.0f} s", judge(env, of_agent(agent), days)),
            flush=True,
        )
    if options.curve is not None:
        draw(curves, statistics.mean(outcome.reward for outcome in rules), options.curve)
    if options.out is not None:
        agent.save(options.out)
    env.close()


if __name__ == "__main__":
    main()
