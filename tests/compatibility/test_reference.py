"""The notebook and the Gym class of AlphaDataCenterCooling.

``TRIVIUM_REFERENCE`` names a checkout of wfzheng/AlphaDataCenterCooling.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.compatibility.test_boptest import run
from tests.server import Server

pytestmark = pytest.mark.slow

ACTIONS = "RealWorld_Actions_Observations.csv"


@pytest.fixture(scope="module")
def checkout():
    path = os.environ.get("TRIVIUM_REFERENCE", "")
    if not path:
        pytest.skip("TRIVIUM_REFERENCE does not name a checkout of wfzheng/AlphaDataCenterCooling")
    return Path(path).absolute()


@pytest.mark.parametrize(
    ("folder", "name"), [("testing", "test_REST_API"), ("AlphaDataCenterCooling_Gym/testing", "test_gym")]
)
def test_its_notebook_runs(checkout, folder, name, tmp_path):
    if not (checkout / folder / ACTIONS).exists():
        pytest.skip(f"the checkout has no {folder}/{ACTIONS}")
    if name == "test_gym":
        pytest.importorskip("simplejson", reason="the reference's Gym class needs simplejson")
    resources = tmp_path / "Resources"
    shutil.copytree(checkout / "Resources", resources)
    copy = tmp_path / "copy"  # a notebook writes its results beside it
    shutil.copytree(checkout, copy)
    with Server(resources, tmp_path / "state") as server:
        outcome = run("notebook", copy, server.url, tmp_path, str(copy / folder / f"{name}.ipynb"))
    assert outcome["cells"]
