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
from tests.trap_fmu import repacked
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


def with_items(data: bytes) -> bytes:
    """Make the whole number `gain` of a description of FMI 2.0 an enumeration."""
    at = data.index(b'name="gain"')
    begin = data.index(b"<Integer", at)
    end = data.index(b"/>", begin)
    data = data[:begin] + b'<Enumeration declaredType="Level" start="2"' + data[end:]
    items = b'<Item name="two" value="2"/><Item name="three" value="3"/>'
    types = b'<SimpleType name="Level"><Enumeration>' + items + b"</Enumeration></SimpleType>"
    place = data.index(b"<DefaultExperiment")
    return data[:place] + b"<TypeDefinitions>" + types + b"</TypeDefinitions>" + data[place:]


@pytest.mark.parametrize(
    ("version", "parameter", "output", "items"),
    [("2.0", "gain", "y", {"three": 3, "two": 2}), ("3.0", "level", "chosen", {"high": 2, "low": 1})],
)
def test_items_of_an_enumeration_are_swept_by_their_names(
    write_study: Callable[..., Path],
    run_here: Callable[..., Path],
    own_fmu: Callable[..., Path],
    tmp_path: Path,
    version: str,
    parameter: str,
    output: str,
    items: dict[str, int],
) -> None:
    fmu = own_fmu("tuned", version)
    if version == "2.0":  # the native loop
        fmu = repacked(own_fmu("linear", version), tmp_path / "items.fmu", lambda name, data: (
            with_items(data) if name == "modelDescription.xml" else data
        ))  # fmt: skip
    first, second = items

    def swept(name: str, values: list[object], **simulation: object) -> SweepResults:
        path = write_study(
            f"{name}.json",
            fmu=fmu,
            simulation={"variableFilter": output, "stop_time": 2.0, **simulation},
            simulation_parameters={parameter: values},
            metrics={"end": {"variable": output, "method": "final"}},
        )
        return open_results(run_here(path))

    with swept("names", [first, second]) as named, swept("numbers", [*items.values()]) as numbered:
        assert named.failures == numbered.failures == {}
        ends = named.column("end")
        assert ends.tolist() == numbered.column("end").tolist()
        assert ends[0] / ends[1] == pytest.approx(items[first] / items[second])
        assert named.frame()[parameter].tolist() == [first, second]
        assert named.select(**{parameter: second}).runs.tolist() == [1]
        assert figures(named, "levels")["parameters"][parameter] == {"levels": [first, second], "grouped": False}
    slip = rf"simulation_parameters\.{parameter}: .*slip.*must be an item of its enumeration"
    with pytest.raises(InvalidValueError, match=slip):
        swept("slip", [first, "slip"])
    with pytest.raises(InvalidValueError, match=rf"simulation_parameters\.{parameter}: 2 is no text"):
        swept("mixed", [first, 2])


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
