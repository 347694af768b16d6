"""Loading and evaluating surrogate models."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import shutil
import subprocess
import sys
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trivium.errors import ResourcesError, UnsafeFileError
from trivium.plants.cooling import surrogate
from trivium.plants.cooling.surrogate import Network, load_chiller_power, load_head

torch = pytest.importorskip("torch", reason="PyTorch writes the files, and evaluates them for comparison")

from workshop.surrogates.write import save  # noqa: E402

GENERATOR = np.random.default_rng(7)


class MLP(torch.nn.Module):
    """A module with the attributes of the reference's, which the tests pickle under the reference's names."""

    def __init__(self) -> None:
        super().__init__()
        self.input_normalization_minimum = torch.tensor([0.0, 0.0, 2.0, 0.05])
        self.input_normalization_maximum = torch.tensor([4.0, 5.0, 12.0, 1.2])
        self.output_low_limit = torch.tensor(15.0)
        self.output_high_limit = torch.tensor(33.0)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
        )

    def step(self, x: torch.Tensor) -> torch.Tensor:
        """Evaluate as the reference does."""
        low, high = self.input_normalization_minimum, self.input_normalization_maximum
        scaled = self.layers((x - low) / (high - low))
        return scaled * (self.output_high_limit - self.output_low_limit) + self.output_low_limit


def pickled_module(path: Path, module: str) -> MLP:
    """Save a whole module whose class seems to live in another Python module."""
    model = MLP()
    MLP.__module__, home = module, MLP.__module__
    vacant = module not in sys.modules
    if vacant:
        sys.modules[module] = type(sys)(module)
    kept = getattr(sys.modules[module], "MLP", None)
    sys.modules[module].MLP = MLP  # type: ignore[attr-defined]
    try:
        torch.save(model, path)
    finally:
        if kept is None:
            del sys.modules[module].MLP
        else:
            sys.modules[module].MLP = kept  # type: ignore[attr-defined]
        MLP.__module__ = home
        if vacant:
            del sys.modules[module]
    return model


def random_network(inputs: int, **changes: Any) -> Network:
    """Make a net of arbitrary numbers."""
    shapes = ((8, inputs), (8, 8), (1, 8))
    values: dict[str, Any] = {
        "weights": [GENERATOR.standard_normal(shape, np.float32) for shape in shapes],
        "biases": [GENERATOR.standard_normal(shape[0], np.float32) for shape in shapes],
        "activation": "tanh",
        "input_minimum": np.zeros(inputs, np.float32),
        "input_maximum": np.full(inputs, 2.0, np.float32),
        "output_minimum": np.array(1.0, np.float32),
        "output_maximum": np.array(3.0, np.float32),
    }
    return Network(**values | changes)


@pytest.mark.parametrize("module", ["__main__", "utils"])
def test_pickled_module_of_the_reference_loads_and_agrees_with_torch(tmp_path: Path, module: str) -> None:
    path = tmp_path / "mlp.pth"
    original = pickled_module(path, module)
    model = load_head(path)
    rng = np.random.default_rng(3)
    for chillers_on, hex_on, cells, mcw in rng.uniform((0, 0, 0, 0), (6, 6, 12, 2), (50, 4)):
        with torch.inference_mode():
            expected = original.step(torch.tensor([chillers_on, hex_on, cells, mcw], dtype=torch.float32)).item()
        assert model.predict(chillers_on, hex_on, cells, mcw) == pytest.approx(expected, rel=1e-6)


def test_pickled_module_loads_in_a_process_without_its_module(tmp_path: Path) -> None:
    path = tmp_path / "mlp.pth"
    pickled_module(path, "utils")
    code = (
        "import sys, pathlib; from trivium.plants.cooling.surrogate import load_head; "
        "assert 'utils' not in sys.modules; print(load_head(pathlib.Path(sys.argv[1])).predict(1, 2, 6, 0.4))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(load_head(path).predict(1, 2, 6, 0.4), rel=1e-7)


def test_threads_may_share_a_net() -> None:
    network = random_network(4)
    x = GENERATOR.uniform(0.0, 2.0, (200, 4))
    expected = [network(row)[0] for row in x]
    results: list[list[float]] = []
    threads = [threading.Thread(target=lambda: results.append([network(row)[0] for row in x])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8


def test_own_form_comes_back_as_saved_in_equal_bytes(tmp_path: Path) -> None:
    network = random_network(4)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "mlp.pth", "head", network)
    path = tmp_path / "a" / "mlp.pth"
    assert path.read_bytes() == (tmp_path / "b" / "mlp.pth").read_bytes()
    assert isinstance(torch.load(path, weights_only=True), dict)
    x = GENERATOR.uniform(0.0, 2.0, (5, 4))
    assert np.array_equal(load_head(path).network(x), network(x))


def test_network_is_the_formula(tmp_path: Path) -> None:
    network = random_network(4, activation="relu")
    save(tmp_path / "mlp.pth", "head", network)
    x = np.array([0.5, 1.5, 2.0, 0.0])
    value = x / 2.0
    for k, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        value = weight.astype(float) @ value + bias
        value = np.maximum(value, 0.0) if k < 2 else value
    assert load_head(tmp_path / "mlp.pth").predict(*x) == pytest.approx(1.0 + 2.0 * value[0], rel=1e-5)


def test_own_head_does_not_extrapolate(tmp_path: Path) -> None:
    save(tmp_path / "mlp.pth", "head", random_network(4))
    model = load_head(tmp_path / "mlp.pth")
    assert model.predict(1, 1, 1, 1e6) == model.predict(1, 1, 1, 2.0)
    assert model.predict(1, 1, 1, -5) == model.predict(1, 1, 1, 0.0)


@pytest.fixture
def chillers(tmp_path: Path) -> surrogate.ChillerPowerModel:
    inputs = len(surrogate.CHILLER_POWER_INPUTS)
    low, high = np.zeros(inputs, np.float32), np.ones(inputs, np.float32)
    low[0], high[0] = 1e5, 4e6
    low[1:3], high[1:3] = 280.0, 310.0
    # far above zero, since a negative ratio is none
    ranges = {"input_minimum": low, "input_maximum": high, "output_minimum": np.array(50, np.float32)}
    ranges["output_maximum"] = np.array(52, np.float32)
    path = tmp_path / "chiller_power.pth"
    save(path, "chiller_power", random_network(inputs, **ranges))
    return load_chiller_power(path)


def test_one_batched_call_equals_single_calls(chillers: surrogate.ChillerPowerModel) -> None:
    unit = np.array([1, 2, 6])
    load, cold, warm = np.array([1e6, 2e6, 3e6]), np.array([285.0, 286.0, 288.0]), np.array([290.0, 295.0, 300.0])
    batch = chillers.predict(unit, load, cold, warm)
    single = [chillers.predict(unit[i : i + 1], load[i : i + 1], cold[i : i + 1], warm[i : i + 1])[0] for i in range(3)]
    assert batch == pytest.approx(single, rel=1e-6)
    assert batch.shape == (3,)
    assert len(set(batch)) == 3
    assert chillers.predict(np.zeros(0, int), np.zeros(0), np.zeros(0), np.zeros(0)).shape == (0,)


def test_chiller_power_follows_load_at_the_ends(chillers: surrogate.ChillerPowerModel) -> None:
    unit = np.full(6, 3)
    load = np.array([-1e6, 0.0, 5e4, 1e5, 4e6, 9e6])
    power = chillers.predict(unit, load, np.full(6, 285.0), np.full(6, 295.0))
    assert list(power[:2]) == [0.0, 0.0]
    assert power[2] == pytest.approx(power[3] / 2)
    assert power[5] == power[4]


@pytest.mark.parametrize("unit", [0, -1, 7])
def test_no_such_chiller(chillers: surrogate.ChillerPowerModel, unit: int) -> None:
    with pytest.raises(IndexError):
        chillers.predict(np.array([unit]), np.array([1e6]), np.array([285.0]), np.array([295.0]))


class Call:
    """Pickles as a call, which an ordinary unpickler would carry out."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


def archive(path: Path, pickled: bytes) -> None:
    """Write a zip as torch.save lays it out, around any pickle."""
    torch.save({"x": torch.zeros(2)}, path)
    with zipfile.ZipFile(path) as members:
        content = {name: members.read(name) for name in members.namelist()}
    with zipfile.ZipFile(path, "w") as members:
        for name, data in content.items():
            members.writestr(name, pickled if name.endswith("data.pkl") else data)


MALICIOUS = [
    (lambda flag: Call(os.system, f"touch {flag}"), r"(posix|nt)\.system"),
    (lambda flag: Call(builtins.eval, f"open({str(flag)!r}, 'w')"), r"(builtins|__builtin__)\.eval"),
    (lambda flag: Call(subprocess.check_call, ["touch", str(flag)]), r"(subprocess|commands)\.check_call"),
    (lambda flag: Call(shutil.copy, sys.executable, str(flag)), r"shutil\.copy"),
    (lambda flag: Call(open, str(flag), "w"), r"(_io|io)\.open"),
    (lambda _flag: np.arange(3.0), r"numpy\..*(_reconstruct|_frombuffer)"),
    (lambda _flag: OrderedDict(kind="head", weights=Call(getattr, OrderedDict, "clear")), r"\.getattr"),
]


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(("make", "name"), MALICIOUS)
@pytest.mark.parametrize("bare", [False, True])
def test_file_with_another_global_is_refused_by_name_and_not_run(
    tmp_path: Path, make: Any, name: str, protocol: int, bare: bool
) -> None:
    path, flag = tmp_path / "mlp.pth", tmp_path / "flag"
    pickled = pickle.dumps(make(flag), protocol=protocol)
    if bare:
        path.write_bytes(pickled)
    else:
        archive(path, pickled)
    for load in (load_head, load_chiller_power):
        with pytest.raises(UnsafeFileError, match=name):
            load(path)
    assert not flag.exists()


def test_legacy_form_of_torch_save_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mlp.pth"
    torch.save(Call(os.system, "true"), path, _use_new_zipfile_serialization=False)
    with pytest.raises(UnsafeFileError, match=r"system"):
        load_head(path)


def test_allowed_names_cannot_be_called(tmp_path: Path) -> None:
    archive(tmp_path / "mlp.pth", pickle.dumps(Call(torch.nn.Linear, 10**9, 10**9), protocol=2))
    with pytest.raises(ResourcesError, match="takes no arguments"):
        load_head(tmp_path / "mlp.pth")


def test_module_with_a_foreign_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mlp.pth"
    model = MLP()
    model.layers.append(torch.nn.Dropout())
    torch.save(model, path)
    with pytest.raises(UnsafeFileError, match=r"torch\.nn\.modules\.dropout\.Dropout"):
        load_head(path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.pth"
    pickled_module(whole, "__main__")
    data = whole.read_bytes()
    path = tmp_path / "mlp.pth"
    for length in [*range(0, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises((ResourcesError, UnsafeFileError)):
            load_head(path)


def test_damaged_pickle_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"format": surrogate.FORMAT}, buffer)
    with zipfile.ZipFile(buffer) as members:
        pickled = members.read("archive/data.pkl")
    for length in range(len(pickled)):
        archive(tmp_path / "mlp.pth", pickled[:length])
        with pytest.raises((ResourcesError, UnsafeFileError)):
            load_head(tmp_path / "mlp.pth")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ResourcesError, match=r"nothing\.pth cannot be read: No such file"):
        load_head(tmp_path / "nothing.pth")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activation": "gelu"}, "activation"),
        ({"biases": [np.zeros(8, np.float32), np.zeros(8, np.float32)]}, "biases"),
        (
            {"weights": [np.zeros((8, 4), np.float32), np.zeros((8, 7), np.float32), np.zeros((1, 8), np.float32)]},
            "does not fit",
        ),
        ({"output_minimum": np.array(np.nan, np.float32)}, "finite"),
        ({"input_maximum": np.zeros(4, np.float32)}, "above"),
        ({"input_maximum": np.ones(4)}, "data type"),
        ({"input_maximum": np.ones(3, np.float32)}, "one length"),
        ({"output_maximum": np.ones(2, np.float32)}, "single"),
        ({"weights": [np.zeros((2, 4), np.float32)], "biases": [np.zeros(2, np.float32)]}, "outputs"),
        ({"weights": ["text"], "biases": [np.zeros(2, np.float32)]}, "tensors"),
    ],
)
def test_net_that_does_not_fit_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_network(4, **changes)


def test_models_of_the_other_kind_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.pth", "chiller_power", random_network(9))
    save(tmp_path / "b.pth", "head", random_network(3))
    torch.save({"weights": torch.zeros(3)}, tmp_path / "c.pth")
    torch.save(torch.zeros(3), tmp_path / "d.pth")
    for name, message in (("a", "chiller_power model"), ("b", "3 inputs"), ("c", "format"), ("d", "format")):
        with pytest.raises(ResourcesError, match=message):
            load_head(tmp_path / f"{name}.pth")


def test_reference_module_with_other_layers_is_refused(tmp_path: Path) -> None:
    for layers in (
        torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU()),
        torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(4, 1), torch.nn.ReLU()),
        torch.nn.Linear(4, 1),
    ):
        model = MLP()
        model.layers = layers  # type: ignore[assignment]
        MLP.__module__, home = "__main__", MLP.__module__
        sys.modules["__main__"].MLP = MLP  # type: ignore[attr-defined]
        try:
            torch.save(model, tmp_path / "mlp.pth")
        finally:
            MLP.__module__ = home
            del sys.modules["__main__"].MLP
        with pytest.raises(ResourcesError, match=r"layers|last layer"):
            load_head(tmp_path / "mlp.pth")
