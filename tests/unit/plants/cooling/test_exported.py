"""Programs that PyTorch exported, in the place of a net."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.small_plant import head
from trivium.errors import MissingExtraError, ModelError, ResourcesError
from trivium.extras import command
from trivium.plants.cooling.surrogate import load_chiller_power, load_head
from trivium.session.local import open_testcase
from trivium.simulation.resources import Resources

torch = pytest.importorskip("torch", reason="PyTorch exports the programs and runs them")


class Linear(torch.nn.Module):
    """The head of the small plant's test case: 1 + 2 x0 + 0.5 x1 + 0.25 x2 + 10 x3."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.layer.weight = torch.nn.Parameter(torch.tensor([[2.0, 0.5, 0.25, 10.0]]))
        self.layer.bias = torch.nn.Parameter(torch.tensor([1.0]))

    def forward(self, x: Any) -> Any:
        return self.layer(x)


class Power(torch.nn.Module):
    """Power over load: a tenth of a watt for each watt, a hundredth more for each unit beyond the first."""

    def forward(self, x: Any) -> Any:
        return 0.1 + 0.01 * (x[:, 3:] * torch.arange(6.0)).sum(1, keepdim=True)


class Pair(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.cat((x[:, :1], x[:, :1]), 1)


class Tuple(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x[:, :1], x[:, :1]


class Infinite(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x[:, :1] / 0.0


class Counting(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(1, 1))

    def forward(self, x: Any) -> Any:
        self.count += 1.0
        return x[:, :1] + self.count


class Refusing(torch.nn.Module):
    """Takes the usual inputs only."""

    def forward(self, x: Any) -> Any:
        torch._check(x[0, 0].item() < 5.0)
        return x[:, :1].clone()


def export(path: Path, module: Any, inputs: int) -> Path:
    """Write a program in the form that the suffix names."""
    example = torch.ones(1, inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of TorchScript
        if path.suffix == ".pt2":
            torch.export.save(torch.export.export(module, (example,)), path)
        else:
            torch.jit.save(torch.jit.trace(module, example), path)
    return path


suffixes = pytest.mark.parametrize("suffix", [pytest.param(".pt2", marks=pytest.mark.slow), ".pt"])


@pytest.mark.slow
@suffixes
def test_an_exported_program_gives_what_pytorch_gives(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.GELU(), torch.nn.Linear(16, 1))
    model = load_head(export(tmp_path / f"head{suffix}", net, 4))
    for row in np.random.default_rng(1).uniform(0, 6, (200, 4)):
        with torch.inference_mode():
            expected = net(torch.tensor(row[None], dtype=torch.float32)).item()
        assert model.predict(*row) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert torch.get_num_threads() == 1


@suffixes
def test_power_by_an_exported_program(tmp_path: Path, suffix: str) -> None:
    model = load_chiller_power(export(tmp_path / f"power{suffix}", Power(), 9))
    load = np.array([-1e6, 1e6, 2e6, 9e6])
    power = model.predict(np.array([1, 1, 3, 6]), load, np.full(4, 285.0), np.full(4, 295.0))
    assert power == pytest.approx([0.0, 1e5, 2.4e5, 1.35e6])


@suffixes
def test_a_test_case_may_name_an_exported_program(
    small_resources: Path, state_dir: Path, tmp_path: Path, suffix: str
) -> None:
    folder = shutil.copytree(small_resources, tmp_path / "Resources")
    (folder / "mlp.pth").unlink()
    export(folder / f"head{suffix}", Linear(), 4)
    (folder / "testcase.toml").write_text(f'[files]\nhead = "head{suffix}"\n')
    case, usual = open_testcase(folder, state_dir), open_testcase(small_resources, state_dir)
    try:
        action = {"CHI01": 1.0, "CHI02_CW3": 1.0, "U_CT1": 1.0, "Tchws_set_CHI": 280.0}
        theirs, ours = case.advance(action), usual.advance(action)
        assert theirs["P_CDWPs_sum"] > 1000.0 * head(1, 1, 2, 0.0)
        assert theirs["P_CDWPs_sum"] == pytest.approx(ours["P_CDWPs_sum"], rel=1e-6)
    finally:
        case.close()
        usual.close()


@suffixes
@pytest.mark.parametrize(
    ("module", "inputs", "message"),
    [
        (Linear(), 4, r"must take a float32 tensor of shape \(1, 9\)"),
        (Pair(), 9, "no tensor of one number"),
        (Tuple(), 9, "no tensor of one number"),
        (Infinite(), 9, "gives inf for the usual inputs"),
        (Counting(), 9, "different results for the same inputs"),
    ],
)
def test_a_program_that_is_no_such_model_is_refused(
    tmp_path: Path, module: Any, inputs: int, message: str, suffix: str
) -> None:
    path = export(tmp_path / f"power{suffix}", module, inputs)
    with pytest.raises(ResourcesError, match=rf"^power\{suffix} .*{message}"):
        load_chiller_power(path)


def test_a_program_that_fails_later_is_an_error_of_the_model(tmp_path: Path) -> None:
    model = load_head(export(tmp_path / "head.pt2", Refusing(), 4))
    assert model.predict(2, 0, 0, 0) == 2.0
    with pytest.raises(ModelError, match=r"head\.pt2 failed: "):
        model.predict(6, 0, 0, 0)


@suffixes
def test_what_is_no_exported_program_is_refused(tmp_path: Path, resources: Path, suffix: str) -> None:
    path = tmp_path / f"head{suffix}"
    with pytest.raises(ResourcesError, match="cannot be read: No such file"):
        load_head(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ResourcesError, match=r"no archive of torch\.(export|jit)\.save"):
        load_head(path)
    shutil.copy(resources / "mlp.pth", path)
    with pytest.raises(ResourcesError, match=r"no file of torch\.(export|jit)\.save"):
        load_head(path)


@suffixes
def test_an_exported_program_under_the_name_of_a_net_is_not_run(tmp_path: Path, suffix: str) -> None:
    path = export(tmp_path / f"head{suffix}", Linear(), 4)
    path.rename(tmp_path / "mlp.pth")
    with pytest.raises(ResourcesError, match=r"mlp\.pth"):
        load_head(tmp_path / "mlp.pth")


@suffixes
def test_without_pytorch_the_command_that_brings_it_is_named(tmp_path: Path, suffix: str) -> None:
    path = export(tmp_path / f"head{suffix}", Linear(), 4)
    code = "import sys; sys.modules['torch'] = None; from pathlib import Path; "
    code += "from trivium.plants.cooling.surrogate import load_head; load_head(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        f"{MissingExtraError.__module__}.MissingExtraError: head{suffix} is an exported program, which PyTorch runs. "
        f"PyTorch is not installed; install it with: {command('torch')}"
    )


def test_a_program_inside_an_uploaded_fmu_is_not_a_surrogate(small_resources: Path, tmp_path: Path) -> None:
    path = shutil.copy(small_resources / "AlphaDataCenterCooling_FMU.fmu", tmp_path / "uploaded.fmu")
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(export(tmp_path / "head.pt2", Linear(), 4), "head.pt2")
        archive.write(tmp_path / "head.pt2", "resources/head.pt2")
        for folder in ("", "resources/"):
            archive.writestr(f"{folder}testcase.toml", '[files]\nhead = "head.pt2"\n')
    resources = Resources.load(Path(path))
    assert resources.plant_files.get("head") is None
    assert resources.plant_files.get("chiller_power") is None
