"""Parameters that are texts: swept like numbers, and shown as they are wherever results are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas
import pytest
from scipy.io import loadmat

import trivium
from trivium.errors import InvalidValueError
from trivium.study.cache import keys_of
from trivium.study.choose import parse_choices
from trivium.study.prepare import prepare
from trivium.study.read import SweepResults, open_results
from trivium.study.report.page import figures
from trivium.study.spec import load_study

WORDS = ["Berg", "a:b", "7"]
#: Of each word and greeting, the length of the word and a hundred times that of the greeting.
LETTERS = [4.0, 204.0, 3.0, 203.0, 1.0, 201.0]


@pytest.fixture
def path(write_study: Callable[..., Path], own_fmu: Callable[..., Path]) -> Path:
    """Return a study over texts alone."""
    return write_study(
        fmu=own_fmu("words", "2.0"),
        simulation={"variableFilter": "letters"},
        simulation_parameters={"word": WORDS, "greeting": ["", "hi"]},
        metrics={"end": {"variable": "letters", "method": "final"}},
    )


@pytest.fixture
def results(path: Path, run_here: Callable[..., Path]) -> SweepResults:
    with open_results(run_here(path)) as opened:
        yield opened


def test_each_run_has_its_texts(results: SweepResults) -> None:
    assert results.failures == {}
    assert results.column("end").tolist() == LETTERS
    frame = results.frame()
    assert frame["word"].tolist() == [word for word in WORDS for _ in range(2)]
    assert frame["greeting"].tolist() == ["", "hi"] * 3
    assert results.dataset()["word"].values.tolist() == frame["word"].tolist()


def test_runs_are_chosen_by_their_texts(results: SweepResults) -> None:
    assert results.select(word="a:b").runs.tolist() == [2, 3]
    assert results.select(word=["7", "Berg"], greeting="").runs.tolist() == [0, 4]
    assert len(results.select(word="Tal")) == 0
    assert results.select(**parse_choices(["word=a:b,7", "greeting=hi"], results.texts)).runs.tolist() == [3, 5]
    assert results.select(**parse_choices(["word=7", "end=0:10"], results.texts)).runs.tolist() == [4]
    with pytest.raises(InvalidValueError, match="end is a number, not 'Berg'"):
        results.select(end="Berg")


@pytest.mark.parametrize("ending", ["csv", "parquet", "h5", "mat"])
@pytest.mark.parametrize("trajectories", [False, True])
def test_tables_have_the_texts(results: SweepResults, tmp_path: Path, ending: str, trajectories: bool) -> None:
    path = tmp_path / f"table.{ending}"
    results.select(greeting="hi").export(path, trajectories=trajectories)
    if ending == "csv":
        with path.open(newline="") as file:
            words = [row["word"] for row in csv.DictReader(file)]
    elif ending == "parquet":
        words = pandas.read_parquet(path)["word"].tolist()
    elif ending == "h5":
        with h5py.File(path) as file:
            words = file["word"].asstr()[:].tolist()
    else:
        words = [word.item() for word in loadmat(path)["word"].ravel()]
    points = results.time.size if trajectories and ending != "mat" else 1
    assert words == [word for word in WORDS for _ in range(points)]


def test_a_report_names_the_levels(results: SweepResults) -> None:
    page = figures(results, "words")
    assert page["parameters"]["word"] == {"levels": WORDS, "grouped": False}
    assert page["curves"]["end"]["greeting"]["mean"] == pytest.approx(
        [np.mean(LETTERS[0::2]), np.mean(LETTERS[1::2])], rel=1e-5
    )


def test_a_run_is_found_in_the_cache_wherever_its_text_is_listed(path: Path, tmp_path: Path, unpacked: Path) -> None:
    def keys() -> dict[tuple[str, ...], bytes]:
        plan, job = prepare(load_study(path), tmp_path, unpacked)
        rows = plan.rows(0, plan.count)
        texts = [tuple(str(value) for value in job.named(row).values()) for row in rows]
        return dict(zip(texts, keys_of(job, job.identity(), rows), strict=True))

    first = keys()
    assert len(set(first.values())) == 6
    content = json.loads(path.read_text())
    content["simulation_parameters"]["word"] = ["new", *reversed(WORDS)]
    path.write_text(json.dumps(content))
    second = keys()
    assert {texts: key for texts, key in second.items() if texts[0] != "new"} == first


def test_another_text_is_another_study(path: Path, tmp_path: Path, unpacked: Path) -> None:
    digests = set()
    for words in (WORDS, [*WORDS[:2], "8"]):
        content = json.loads(path.read_text())
        content["simulation_parameters"]["word"] = words
        path.write_text(json.dumps(content))
        digests.add(prepare(load_study(path), tmp_path, unpacked)[0].digest)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"word": ["a", 1]}, "simulation_parameters.word: 1 is no text, and word is one"),
        ({"word": []}, "simulation_parameters.word: there are no values"),
        ({"nonsense": ["a"]}, "simulation_parameters.nonsense: 'a' is no number"),
    ],
)
def test_what_is_no_text_is_refused_by_name(
    path: Path, tmp_path: Path, unpacked: Path, parameters: dict[str, object], reason: str
) -> None:
    content = json.loads(path.read_text())
    content["simulation_parameters"] = parameters
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidValueError, match=reason):
        prepare(load_study(path), tmp_path, unpacked)


def test_a_study_in_python_takes_texts(own_fmu: Callable[..., Path]) -> None:
    study = trivium.Study(
        own_fmu("words", "3.0"),
        parameters={"word": WORDS},
        stop_time=1.0,
        step=0.5,
        metrics={"end": ("letters", "final")},
    )
    assert study.run(workers=0).frame()["end"].tolist() == LETTERS[0::2]


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_items_of_an_enumeration_are_swept_by_their_names(
    write_study: Callable[..., Path], run_here: Callable[..., Path], own_fmu: Callable[..., Path], version: str
) -> None:
    def swept(name: str, values: list[object], **simulation: object) -> SweepResults:
        path = write_study(
            f"{name}.json",
            fmu=own_fmu("tuned", version),
            simulation={"variableFilter": "chosen", "stop_time": 2.0, **simulation},
            simulation_parameters={"level": values},
            metrics={"end": {"variable": "chosen", "method": "final"}},
        )
        return open_results(run_here(path))

    with swept("names", ["high", "low"]) as named, swept("numbers", [2, 1]) as numbered:
        assert named.failures == numbered.failures == {}
        assert named.column("end").tolist() == numbered.column("end").tolist() == [2.0, 1.0]
        assert named.frame()["level"].tolist() == ["high", "low"]
        assert named.select(level="low").runs.tolist() == [1]
        assert figures(named, "levels")["parameters"]["level"] == {"levels": ["high", "low"], "grouped": False}
    with pytest.raises(
        InvalidValueError, match=r"simulation_parameters\.level: .*hihg.*must be an item of its enumeration"
    ):
        swept("slip", ["low", "hihg"])
    with pytest.raises(InvalidValueError, match=r"simulation_parameters\.level: 2 is no text"):
        swept("mixed", ["low", 2])


def test_outputs_that_are_texts_are_refused_by_name(
    write_study: Callable[..., Path], own_fmu: Callable[..., Path], tmp_path: Path, unpacked: Path
) -> None:
    for changes, reason in (
        (
            {"metrics": {"m": {"variable": "echo", "method": "final"}}},
            "metrics.m.variable: echo is a text, and metrics",
        ),
        ({"simulation": {"variableFilter": "x|echo"}}, "simulation.variableFilter: echo is a text, and trajectories"),
    ):
        with pytest.raises(InvalidValueError, match=reason):
            prepare(load_study(write_study(fmu=own_fmu("linear", "2.0"), **changes)), tmp_path, unpacked)
