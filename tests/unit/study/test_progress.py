import errno
import io

import pytest

from trivium.study.drive import State
from trivium.study.progress import Progress, amount, describe, duration


def test_a_state_in_words():
    assert describe(State(100, 25, 2, 5, 0.5)) == "25 of 100 runs, 2 failed, 5 from the cache; 0.5 runs/s, 2.5 min left"
    assert describe(State(100, 100, 0, 0, 3.0)) == "100 of 100 runs; 3 runs/s"
    assert describe(State(100, 1, 0, 0, None)) == "1 of 100 runs"


@pytest.mark.parametrize(("seconds", "said"), [(5, "5.0 s"), (119, "119.0 s"), (7100, "118.3 min"), (9e5, "10.4 d")])
def test_times(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(("size", "said"), [(12, "12 bytes"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (3e12, "3.0 TB")])
def test_sizes(size, said):
    assert amount(size) == said


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "drawn"), [(io.StringIO(), False), (Terminal(), True)])
def test_a_bar_on_a_terminal_and_lines_elsewhere(stream, drawn):
    show = Progress(stream, lambda: 0.0)
    for done in (0, 10, 20, 40):
        show(State(40, done, 0, 0, 1.0))
    said = stream.getvalue()
    assert said.endswith("40 of 40 runs; 1 runs/s\n")
    assert ("[" + 30 * "#" + "]" in said) == drawn
    assert "10 of 40" not in said  # not at every call


def test_a_line_comes_every_ten_seconds():
    times, stream = iter([0.0, 9.0, 10.0, 19.0, 21.0]), io.StringIO()
    show = Progress(stream, lambda: next(times))
    for done in range(5):
        show(State(40, done, 0, 0, None))
    assert stream.getvalue().splitlines() == ["0 of 40 runs", "2 of 40 runs", "4 of 40 runs"]


class Full(io.StringIO):
    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_progress_that_nobody_can_read_ends_nothing(monkeypatch):
    for stream in (Full(), None):
        monkeypatch.setattr("sys.stderr", stream)
        show = Progress(clock=lambda: 0.0)
        show(State(40, 10, 0, 0, None))
        show.say("nothing")


def test_runs_of_chunks_under_way_are_shown():
    assert describe(State(100, 20, 0, 0, 2.0, ahead=30)) == "50 of 100 runs; 2 runs/s, 25.0 s left"


def test_what_goes_on_before_a_run_has_ended_is_told():
    assert describe(State(9, 0, 0, 0, None, stage="loading the model")) == "0 of 9 runs: loading the model"
