"""The image slim by itself: what it holds, how large it is, and who may run it."""

from __future__ import annotations

import json
import time

import pytest

import trivium
from tests.container import standins
from tests.container.compose import PATIENCE, Compose
from tests.container.engine import wait_for
from trivium.environment import ROOT

#: What the image may take on the disk [bytes].
BUDGET = 1.3e9
CONFINED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp")


def test_the_image_is_within_its_budget(engine, image, measured):
    size = engine.inspect(image)["Size"]
    measured("size of slim", f"{size / 1e9:.2f} GB, base {engine.inspect('python:3.11-slim')['Size'] / 1e9:.2f} GB")
    assert size < BUDGET


def test_the_image_says_what_it_is(engine, image):
    config = engine.inspect(image)["Config"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.version"] == trivium.__version__
    assert labels["org.opencontainers.image.title"] == "Trivium"
    assert config["User"] == "57439"
    assert not config.get("Volumes")
    assert config["Healthcheck"]["StartInterval"] < config["Healthcheck"]["Interval"]


def test_the_image_holds_the_lock_and_compiled_code(engine, image):
    listed = "import importlib.metadata as m, json; print(json.dumps({d.name.lower(): d.version for d in m.distributions()}))"
    installed = json.loads(engine.docker("run", "--rm", image, "python", "-c", listed).stdout)
    lock = dict(line.split("==") for line in (ROOT / "requirements/image.txt").read_text().split())
    names = {name.lower().replace("_", "-").replace(".", "-"): version for name, version in installed.items()}
    assert names == {name: version for name, version in lock.items() if name != "cmake"}
    count = "find /app/trivium /opt/trivium/lib -name '*.py' | wc -l; find /app/trivium /opt/trivium/lib -name '*.pyc' | wc -l"
    sources, compiled = map(int, engine.docker("run", "--rm", image, "sh", "-c", count).stdout.split())
    assert compiled > 0.97 * sources


def test_full_is_not_built_where_pyfmi_cannot_step_the_plant(engine, image):
    """With the stand-in of micromamba, which brings no PyFMI; all other steps are those of the image."""
    done = Compose(engine, IMAGE_TARGET="full", **standins.build_variables(engine.work))("build", check=False)
    assert done.returncode != 0
    assert "PyFMI is not installed" in done.stdout + done.stderr
    assert engine.docker("image", "inspect", "trivium:full", check=False).returncode != 0


@pytest.mark.parametrize(
    ("who", "arguments"),
    [
        ("any uid of the group 0 (OpenShift)", ("--user", "1000650000:0")),
        ("a foreign user with a folder of its own (Apptainer)", ("--user", "1234:1234", "--volume", "{folder}:/state")),
        ("the image's own user", ()),
    ],
)
def test_a_foreign_user_serves_on_a_read_only_root(engine, image, measured, who, arguments):
    folder = engine.work / "foreign"
    folder.mkdir(exist_ok=True)
    engine.run("chown", "1234:1234", folder)
    # a volume of the image's content where no folder is mounted
    state = () if "{folder}:/state" in arguments else ("--volume", "/state")
    arguments = [word.format(folder=folder) for word in arguments]
    serve = ("env", "-u", "HOME", "gunicorn", "restapi:app")
    started = time.monotonic()
    run = engine.docker("run", "--detach", *CONFINED, *state, "-e", "TRIVIUM_TOKENS=none", *arguments, image, *serve)
    container = run.stdout.strip()
    try:
        wait_for(lambda: engine.inspect(container)["State"]["Health"]["Status"] == "healthy", PATIENCE)
        measured(f"healthy: {who}", f"{time.monotonic() - started:.0f} s")
        step = "import trivium; c = trivium.Client(); s = c.default_session(); s.initialize(7800000); print(s.advance({}).time)"
        assert engine.docker("exec", container, "python", "-c", step).stdout.strip() == "7800300.0"
        assert "Traceback" not in engine.docker("logs", container).stderr
    finally:
        engine.docker("rm", "--force", "--volumes", container)


def test_a_user_who_may_not_write_the_state_is_told_so_in_a_sentence(engine, image):
    done = engine.docker(
        "run", "--rm", *CONFINED, "--user", "1234:1234", "-e", "TRIVIUM_TOKENS=none", image, check=False
    )
    assert done.returncode != 0
    assert "/state" in done.stderr
    assert "Traceback" not in done.stderr
