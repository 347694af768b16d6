"""README and documentation as a contract: what they tell a person to type works, and prints what they show.

An environment is made as README says, from the wheel of these sources, in an empty folder. The terminal knows the tools of the
system, `python3`, and what README puts on PATH. Each page is typed from its first line to its last, shell and Python alike, in a
folder that holds the environment and nothing else. `EXCEPTIONS` lists what is not typed, by page and line.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.installed import build_distributions
from tests.own_fmus import LINEAR, build
from tests.reader import TYPED, Block, Reader, alike, blocks, empty
from tests.server import ROOT, free_port

_WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_WRITTEN += sorted((ROOT / "examples").rglob("*.md"))
PAGES = {str(path.relative_to(ROOT)): blocks(path) for path in _WRITTEN if blocks(path)}
ACTIVATE = "source .venv/bin/activate"


class Exempt(NamedTuple):
    """What is not typed: a command, or the first line of another block; "*" is a page."""

    page: str
    text: str
    reason: str


EXCEPTIONS = [
    Exempt(*row)
    for row in (
        ("CONTRIBUTING.md", "make setup-dev", "takes minutes; this test runs in what it makes"),
        ("CONTRIBUTING.md", ACTIVATE, "the environment of the line above"),
        ("docs/installation.md", "make serve", "typed as README's"),
        (
            "docs/how-to/couple-two-models.md",
            "trivium converge datacenter_grid/case.json --out coupled",
            "takes a minute; typed as README's, and docs/coupling.md compares what it prints",
        ),
        (
            "docs/installation.md",
            "pip install 'trivium[train]' --extra-index-url \"$PYTORCH_INDEX\"",
            "hundreds of megabytes, from an index that only the reader knows",
        ),
        ("docs/deployment.md", "docker compose up", "no container engine"),
        ("docs/deployment.md", "deploy/secrets.sh", "tests/unit/test_container.py calls it"),
        ("docs/deployment.md", "export JOBS_URL_FILE=.secrets/jobs-url", "belongs to docker compose"),
        (
            "docs/deployment.md",
            "export TRIVIUM_SCHEDULER=tcp://scheduler:8786 TRIVIUM_WORKER_JOBS=0",
            "belongs to docker compose",
        ),
        ("docs/deployment.md", "docker build --tag trivium:slim .", "no container engine"),
        ("docs/deployment.md", "docker build --tag trivium:full --target full .", "no container engine"),
        *(
            ("docs/installation.md", line, "no conda")
            for line in (
                "micromamba create --name trivium --file environment.yml",
                "grep -v '^assimulo-testing==' requirements/image.txt >/tmp/lock.txt",
                "micromamba run --name trivium pip install --no-deps --requirement /tmp/lock.txt",
                "micromamba run --name trivium pip install --no-deps --editable .",
            )
        ),
        ("docs/deployment.md", "docker compose --profile cluster up --scale dask-worker=4", "no container engine"),
        ("docs/og-clews.md", "trivium converge og_clews/case.json", "takes minutes; `make test-long` runs it"),
        (
            "examples/og_clews/README.md",
            "trivium converge og_clews/case.json",
            "takes minutes; `make test-long` runs it",
        ),
        (
            "docs/api.md",
            "Invalid value x for parameter CHI01. Value must be a float, integer, or string able to be converted to a "
            "float, but is <class 'str'>.",
            "messages of refused requests; tests/api compares them",
        ),
        (
            "CONTRIBUTING.md",
            '@routes.operation("PUT", "/step[/<testid>]", reply=replies.ControlStep, example={"step": 300})',
            "a part of trivium/server/routes.py",
        ),
        (
            "docs/baseline.md",
            "100331 actions, 5981 distinct",
            "a year of the plant takes minutes; `make baseline` prints it",
        ),
        *(
            (
                page,
                "python mpc/mpc.py --hours 3 --day 150 hold rule-book mpc oracle",
                "takes minutes; tests/unit/plants/test_mpc_example.py",
            )
            for page in ("docs/mpc.md", "examples/mpc/README.md")
        ),
        ("docs/cli.md", "*", "written by docs/write_cli.py from the program; tests/unit/test_docs.py compares it"),
        (
            "docs/fmi.md",
            "python -m workshop.fmi.build workshop.cooling_plant.plant:model Resources/AlphaDataCenterCooling_FMU.fmu "
            "[--targets linux64 win64 ...]",
            "a synopsis; it needs compilers",
        ),
        (
            "docs/og-clews.md",
            "iteration       delta       error    residual    rate  radius  to go  evaluated  known  time [s]",
            "takes minutes; `make test-long` runs it",
        ),
        (
            "docs/og-clews.md",
            "from trivium.coupling.og_clews.bridge import to_macro",
            "results that the reader has; tests/unit/coupling/og_clews/test_bridge.py",
        ),
        (
            "docs/sessions.md",
            "client -> gunicorn worker -> session.handle -> Unix socket -> session.host: session.session (journal, "
            "test case, FMU)",
            "a drawing",
        ),
        ("docs/sessions.md", "<state directory>/", "a drawing"),
        (
            "docs/sessions.md",
            "36227 steps acknowledged, each there once; 28 refused, none there; 3604 connections broken;",
            "two minutes of `make chaos`, which disturbs at random",
        ),
        (
            "docs/operations.md",
            "trivium verify results/study      # the results of a study",
            "a study of the reader's; tests/unit/session/test_verify.py",
        ),
        (
            "docs/surrogates.md",
            "import torch",
            "needs PyTorch, which trivium[all] does not install; tests/unit/plants/cooling/test_exported.py",
        ),
        (
            "docs/data-center.md",
            " halls 1, 2: servers - aisles - air handlers - coils             cold plates - liquid",
            "a drawing",
        ),
        (
            "docs/family.md",
            "trivium family make 4A-2MW-cloud@wind mine --epw my-place.epw",
            "a weather file of the reader's; tests/unit/plants/data_center/family",
        ),
        *(
            ("docs/tasks.md", text, "takes minutes, with files of the reader's; tests/unit/benchmark")
            for text in (
                "trivium bench run --policy my_policy.py --task DC-SetPoints-5A-5MW-v1 --level forecast "
                "--out results/mine.json",
                "trivium bench verify results/mine.json --policy my_policy.py",
                "trivium bench page results --out leaderboard.html",
                "trivium bench baselines --task DC-SetPoints-5A-5MW-v1 --results results",
                "trivium bench train sac --task DC-SetPoints-5A-5MW-v1 --out sac.npz",
                "trivium bench train ppo --task DC-SetPoints-5A-5MW-v1 --out ppo.npz",
                "for quality in expert medium random; do trivium bench dataset $quality --task DC-SetPoints-5A-5MW-v1 "
                "--episodes 100; done",
                "trivium bench train iql --task DC-SetPoints-5A-5MW-v1 --out iql.npz",
                "trivium bench run --policy sac.npz --task DC-SetPoints-5A-5MW-v1",
                "trivium bench dataset expert --task DC-SetPoints-5A-5MW-v1 --episodes 100",
                "python -c 'import minari; print(minari.load_dataset(\"trivium/dc-setpoints-5a-5mw-perfect/expert-v0\"))'",
            )
        ),
        ("docs/sweep.md", "study/", "a drawing"),
        (
            "docs/sweep.md",
            "trivium compile Plant.mo --model Plant.Cycle",
            "a model of the reader's; tests/unit/model/modelica",
        ),
        (
            "docs/transforms.md",
            "energy.cost -> macro.ratio: transform 0 (index), what comes in: column year, row 1: Input should be a "
            "valid integer (is 'soon')",
            "examples of messages; tests/unit/coupling/test_transform.py",
        ),
    )
]
#: What stands in a page for something of the reader's own: page, text, replacement, reason. Ports are moved everywhere.
ADAPTED = [
    ("docs/security.md", "HOST=0.0.0.0", "HOST=127.0.0.1", "a test listens on loopback only"),
    ("docs/security.md", "http://machine:5000", "http://localhost:5000", "the name of the reader's machine"),
    ("docs/how-to/cluster.md", "--host host --port 8786", "--host 127.0.0.1 --port {dask}", "the reader's machine"),
    ("docs/how-to/cluster.md", "tcp://host:8786", "tcp://127.0.0.1:{dask}", "the reader's machine"),
    ("docs/sweep.md", "--host host --port 8786", "--host 127.0.0.1 --port {dask}", "the reader's machine"),
    ("docs/sweep.md", "tcp://host:8786", "tcp://127.0.0.1:{dask}", "the reader's machine"),
    (
        "docs/how-to/reference-resources.md",
        "path/to/AlphaDataCenterCooling/Resources",
        os.environ.get("TRIVIUM_REFERENCE_RESOURCES", ""),
        "the reader's folder",
    ),
]
#: README installs by pip or from the source. The way from the source is followed up to the first steps: page, blocks left out.
ROADS = {
    "pip": ('git clone "$TRIVIUM_REPOSITORY" trivium',),
    "source": (
        "python3 -m venv .venv",
        "trivium examples fuel_cycle fuel_cycle",
        "trivium examples datacenter_grid datacenter_grid",
    ),
}


def exempt(page: str, text: str) -> bool:
    """Return whether something of a page is listed as an exception."""
    return any(row.page == page and row.text in ("*", text) for row in EXCEPTIONS)


class Desk:
    """Where the reader sits: an environment made as README says, a home, tools."""

    def __init__(self, root: Path) -> None:
        self.work, self.scratch, self._root = root / "work", root / "scratch", root
        for name in ("work", "home", "bin", "repository"):
            (root / name).mkdir()
        self.wheel = build_distributions(root / "build")["wheel"]
        python = root / "bin" / "python3"
        python.write_text(f'#!/bin/sh\nexec "{sys._base_executable}" "$@"\n')
        python.chmod(0o755)
        self._commit(root / "repository")
        self.pages = 0

    def reader(self) -> Reader:
        """Return a reader at an empty desk: the environment is there, and nothing else."""
        empty(self.work, keep=".venv")
        self.pages += 1
        return Reader(self.work, self.scratch / str(self.pages), self._environment())

    def _environment(self) -> dict[str, str]:
        own = Path.home()
        network = re.compile(r"PIP_.*|(https?|no|all)_proxy|SSL_CERT_FILE", re.IGNORECASE)
        environment = {name: value for name, value in os.environ.items() if network.fullmatch(name)}
        if (settings := own / ".config" / "pip" / "pip.conf").exists():
            environment.setdefault("PIP_CONFIG_FILE", str(settings))
        environment.setdefault("PIP_CACHE_DIR", str(own / ".cache" / "pip"))
        return environment | {
            "PIP_FIND_LINKS": f"{os.environ.get('PIP_FIND_LINKS', '')} {self.wheel.parent}".strip(),
            "PIP_COMPILE": "0",  # what a page imports is compiled then; the rest of 20,000 files is not
            "PIP_CONSTRAINT": str(ROOT / "requirements" / "dev.txt"),
            "PATH": f"{self._root / 'bin'}:/usr/bin:/bin",
            "HOME": str(self._root / "home"),
            "LANG": "C.UTF-8",
            "PORT": str(free_port()),
            "PYTHON": "python3",  # for make, which would look for python3.11 first
            "TRIVIUM_REPOSITORY": str(self._root / "repository"),
        }

    def _commit(self, repository: Path) -> None:
        """Make a repository of the sources as they are."""
        git = ["git", "-c", "safe.directory=*", "-c", "user.name=reader", "-c", "user.email=reader@example.org"]
        listed = subprocess.run([*git, "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True)
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).exists():
                (repository / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, repository / name)
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Add the sources"]):
            subprocess.run([*git, *words], cwd=repository, check=True, capture_output=True)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Install Trivium as README says."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    desk = Desk(tmp_path_factory.mktemp("reader"))
    install = next(block for block in PAGES["README.md"] if "pip install" in block.text)
    reader = desk.reader()
    for command in install.commands:
        if "serve" not in command.text:
            reader.type(command.text)
    return desk


def adapted(page: str, text: str, reader: Reader, dask: int) -> str:
    """Return the text with what stands for the reader's own replaced, and with ports that are free."""
    for where, old, new, _ in ADAPTED:
        if where == page:
            text = text.replace(old, new.format(dask=dask))
    return re.sub(r"(localhost|127\.0\.0\.1):5000", rf"\1:{reader.environment['PORT']}", text)


def typed(page: str, omitted: tuple[str, ...] = ()) -> Iterator[tuple[Block, Block | None]]:
    """Yield the blocks of a page that are typed, each with the block that shows what it prints."""
    listed = PAGES[page]
    for k, block in enumerate(listed):
        if block.kind in TYPED and block.text.splitlines()[0] not in omitted:
            after = listed[k + 1] if k + 1 < len(listed) else None
            yield block, after if after is not None and after.printed and after.kind == "text" else None


def read(page: str, reader: Reader, omitted: tuple[str, ...] = ()) -> None:
    """Type a page."""
    dask = free_port()
    for block, shown in typed(page, omitted):
        printed = ""
        for command in block.commands:
            if exempt(page, command.text if block.kind != "python" else command.text.splitlines()[0]):
                continue
            text = adapted(page, command.text, reader, dask)
            if block.kind == "python":
                printed += reader.python(command.line, text)
            else:
                printed += (reply := reader.type(text))
                if command.output is not None:
                    alike(reply, adapted(page, command.output, reader, dask))
                else:
                    refused = re.search(r'\{"status": ?[45]\d\d', reply)
                    assert not refused, f"{page}:{command.line}: {command.text}\n{reply[-2000:]}"
        if shown is not None:
            alike(printed, adapted(page, shown.text, reader, dask))


@pytest.mark.slow
def test_the_environment_holds_the_wheel_of_these_sources(desk: Desk) -> None:
    (packages,) = desk.work.glob(".venv/lib/python*/site-packages")
    with zipfile.ZipFile(desk.wheel) as wheel:
        (record,) = (name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
        rows = list(csv.reader(wheel.read(record).decode().splitlines()))
    assert len(rows) > 200
    for name, digest, _ in rows:
        if digest:
            installed = hashlib.sha256((packages / name).read_bytes()).digest()
            assert base64.urlsafe_b64encode(installed).rstrip(b"=").decode() == digest.removeprefix("sha256="), name


@pytest.mark.parametrize(
    "road",
    [
        pytest.param("pip", marks=pytest.mark.slow),
        pytest.param("source", marks=pytest.mark.long),  # CI itself goes this way
    ],
)
def test_readme(road: str, desk: Desk) -> None:
    """README puts on PATH all that it needs."""
    reader = desk.reader()
    if road == "source":
        del reader.environment["PIP_CONSTRAINT"], reader.environment["PIP_FIND_LINKS"]
        reader.environment |= {name: os.environ[name] for name in ("PIP_FIND_LINKS",) if name in os.environ}
    try:
        read("README.md", reader, ROADS[road])
    finally:
        reader.leave()


#: Pages whose commands compute for a minute or more, or are README's; other tests run the same examples.
HEAVY = (
    "docs/index.md",
    "docs/how-to/muio.md",
    "docs/seek.md",
    "examples/cooling_plant/README.md",
    "examples/datacenter_grid/README.md",
)
#: The page that adds an extra to the environment is typed last.
_ORDER = sorted(PAGES, key=lambda page: any("trivium[ogclews]" in block.text for block in PAGES[page]))


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.long if page in HEAVY else pytest.mark.slow)
        for page in _ORDER
        if page != "README.md" and list(typed(page))
    ],
)
def test_page(page: str, desk: Desk) -> None:
    if page == "docs/how-to/reference-resources.md" and not os.environ.get("TRIVIUM_REFERENCE_RESOURCES"):
        pytest.skip("TRIVIUM_REFERENCE_RESOURCES does not name the Resources folder of AlphaDataCenterCooling")
    reader = desk.reader()
    if page == "docs/testcases.md":
        build(LINEAR, desk.work / "tank.fmu", "2.0")  # the reader's own FMU
    try:
        if not any(command.text == ACTIVATE for block, _ in typed(page) for command in block.commands):
            reader.type(ACTIVATE)  # as README says, once in each terminal
        read(page, reader)
    finally:
        reader.leave()


def test_every_exception_is_needed() -> None:
    for row in EXCEPTIONS:
        listed = PAGES[row.page]
        lines = {block.text.splitlines()[0] for block in listed if block.kind not in ("sh", "bash", "console")}
        lines |= {command.text for block, _ in typed(row.page) for command in block.commands}
        assert row.text == "*" or row.text in lines, f"{row.page} does not say {row.text!r} any more"
    for page, text, _, _ in ADAPTED:
        assert text in (ROOT / page).read_text(encoding="utf-8"), f"{page} does not say {text!r} any more"
    for omitted in ROADS.values():
        assert set(omitted) <= {block.text.splitlines()[0] for block in PAGES["README.md"]}


def test_blocks_that_are_not_typed_hold_no_commands_and_no_output() -> None:
    """A command in a block of another kind would not be run, nor its output compared."""
    for page, listed in PAGES.items():
        for block in listed:
            first = block.text.splitlines()[0]
            if block.kind in (*TYPED, "json", "toml", "mermaid") or block.printed or exempt(page, first):
                continue
            raise AssertionError(f"{page}:{block.line}: the block {first!r} is neither typed nor compared nor listed")
