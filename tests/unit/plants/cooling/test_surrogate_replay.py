"""What a session's journal needs: the same inputs give the same bits, whatever threads BLAS has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trivium.plants.cooling.surrogate import Network, load_chiller_power

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from threadpoolctl import threadpool_info
from trivium.plants.cooling.surrogate import load_chiller_power, load_head
from tests.unit.plants.cooling.test_surrogate_replay import wide_network

folder, rng = Path(sys.argv[1]), np.random.default_rng(1)
head, power = load_head(folder / "mlp.pth"), load_chiller_power(folder / "chiller_power.pth")
for row in rng.uniform((0, 0, 0, 0), (6, 6, 12, 0.6), (500, 4)):
    print(head.predict(*row).hex())
for count in range(1, 7):
    for _ in range(100):
        load, warm = rng.uniform(3e5, 4.5e6, count), rng.uniform(274, 313, count)
        print(*map(float.hex, power.predict(np.arange(1, count + 1), load, np.full(count, 287.15), warm).tolist()))
print(wide_network()(rng.uniform(0, 1, (6, 4))).tobytes().hex())
print(max(pool["num_threads"] for pool in threadpool_info()), file=sys.stderr)
"""


def wide_network() -> Network:
    """A net so wide that BLAS would share its products among threads."""
    rng, width = np.random.default_rng(2), 2000
    return Network(
        weights=[rng.standard_normal(shape, np.float32) / 40 for shape in ((width, 4), (width, width), (1, width))],
        biases=[rng.standard_normal(n, np.float32) for n in (width, width, 1)],
        activation="tanh",
        input_minimum=np.zeros(4, np.float32),
        input_maximum=np.ones(4, np.float32),
        output_minimum=np.array(0.0, np.float32),
        output_maximum=np.array(1.0, np.float32),
    )


def outputs(resources: Path, threads: int) -> tuple[str, int]:
    """Evaluate in a process whose BLAS has so many threads; return what it printed and how many it had."""
    variables = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(resources)], env={**os.environ, **variables},
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout, int(done.stderr)


def test_results_do_not_depend_on_the_threads_of_blas(resources: Path) -> None:
    alone, one = outputs(resources, 1)
    shared, several = outputs(resources, 4)
    if several == one:
        pytest.skip("BLAS takes one thread on this machine")
    assert alone.count("\n") == 1101
    assert shared == alone


def test_wide_layers_are_multiplied_as_narrow_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(4).uniform(0, 1, (6, 4))
    expected = wide_network()(x)
    monkeypatch.setattr("trivium.plants.cooling.surrogate._BLAS_WEIGHTS", 10**9)
    assert wide_network()(x) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_same_chillers_give_the_same_bits_again(resources: Path) -> None:
    model = load_chiller_power(resources / "chiller_power.pth")
    rng = np.random.default_rng(5)
    calls = [
        (rng.permutation(np.arange(1, 7))[:n], rng.uniform(3e5, 4e6, n), rng.uniform(284, 290, n), np.full(n, 293.0))
        for n in rng.integers(1, 7, 200)
    ]
    first = [model.predict(*call).tobytes() for call in calls]
    order = rng.permutation(len(calls))
    assert [model.predict(*calls[k]).tobytes() for k in order] == [first[k] for k in order]
