"""Programs that are run: what they print, how they end, what they must not reach."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trivium.errors import ComponentError
from trivium.experiment import runner
from trivium.experiment.runner import STDERR, STDOUT, inside, result, run

#: Starts a child and a grandchild, the latter in a session of its own, writes their numbers, and waits.
FAMILY = """
import os, subprocess, sys, time
code = "import os, subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
code += " start_new_session=True); print(p.pid, flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", code])
print(os.getpid(), flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def family(folder: Path, count: int = 2) -> list[int]:
    """Wait until the family is whole, and return its numbers."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        path = folder / STDOUT
        found = [int(line) for line in path.read_text().split()] if path.exists() else []
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError("the family did not start")


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 300
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_what_is_printed_goes_to_files_and_its_end_is_told(tmp_path):
    code = "import sys; print('out ' * 3); print('complaint', file=sys.stderr)"
    done = run([sys.executable, "-c", code], tmp_path, 60)
    assert (tmp_path / STDOUT).read_text() == "out out out \n"
    assert (tmp_path / STDERR).read_text() == "complaint\n"
    assert done.exit_code == 0
    assert done.tail == "out out out\ncomplaint"


def test_a_second_program_tells_its_own_tail_only(tmp_path):
    run([sys.executable, "-c", "print('first')"], tmp_path, 60)
    assert run([sys.executable, "-c", "print('second')"], tmp_path, 60).tail == "second"
    assert (tmp_path / STDOUT).read_text() == "first\nsecond\n"


def test_the_exit_code_and_the_tail_are_in_the_error(tmp_path):
    code = "print('x' * 10000); print('the last words'); raise SystemExit(7)"
    with pytest.raises(ComponentError, match=r"(?s)exit code 7.*the last words") as caught:
        run([sys.executable, "-c", code], tmp_path, 60)
    assert len(str(caught.value)) < 5000
    assert run([sys.executable, "-c", code], tmp_path, 60, check=False).exit_code == 7


def test_a_crash_is_told_by_its_signal(tmp_path):
    with pytest.raises(ComponentError, match="SIGSEGV"):
        run([sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"], tmp_path, 60)


def test_a_timeout_kills_grandchildren_too(tmp_path):
    with pytest.raises(ComponentError, match="took longer than 3 s"):
        run([sys.executable, "-c", FAMILY], tmp_path, 3)
    assert gone(family(tmp_path))


def test_a_stop_from_another_thread_kills_grandchildren_too(tmp_path):
    stop, caught = threading.Event(), []

    def go():
        try:
            run([sys.executable, "-c", FAMILY], tmp_path, 600, stop=stop)
        except ComponentError as error:
            caught.append(str(error))

    thread = threading.Thread(target=go)
    thread.start()
    pids = family(tmp_path)
    stop.set()
    thread.join(300)
    assert "was stopped" in caught[0]
    assert gone(pids)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_who_asked_dies_and_so_does_the_family(tmp_path, number):
    code = f"import pathlib, sys; from trivium.experiment.runner import run; run([sys.executable, '-c', {FAMILY!r}], pathlib.Path({str(tmp_path)!r}), 600)"
    asker = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True)
    pids = family(tmp_path)
    os.killpg(asker.pid, number)
    asker.wait(300)
    assert gone(pids)


def test_what_is_left_behind_is_killed(tmp_path):
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True).pid)"
    run([sys.executable, "-c", code], tmp_path, 60)
    assert gone(family(tmp_path, 1))


def test_a_guardian_that_is_killed_is_told(tmp_path):
    code = "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(600)"
    with pytest.raises(ComponentError, match="lost"):
        run([sys.executable, "-c", code], tmp_path, 600)


@pytest.mark.parametrize(
    "argument",
    ["/etc/passwd", "../secret", "a/../../secret", "--out=/tmp/x", "--out=../x", "-o/tmp/x", "-o../x", "link/x", "link", "x=link/y"],
)  # fmt: skip
def test_arguments_that_lead_outside_are_refused(tmp_path, argument):
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "link").symlink_to(tmp_path)
    with pytest.raises(ComponentError, match="leads out"):
        run([sys.executable, "-c", "print('ran')", argument], tmp_path / "box", 60)
    assert not (tmp_path / "box" / STDOUT).exists()


@pytest.mark.parametrize(
    "argument", ["--tol=1e-6", "-m", "model.txt", "sub/model.txt", "--a=b=c", "", "$(id)", "; id", "a b"]
)
def test_other_arguments_arrive_as_they_are(tmp_path, argument):
    done = run([sys.executable, "-c", "import sys; print(ascii(sys.argv[1]))", argument], tmp_path, 60)
    assert done.tail == ascii(argument)


@pytest.mark.parametrize("name", ["/tmp/x", "../x", "a/../../x", "link/x", "", "a\0b"])
def test_names_that_lead_outside_are_refused(tmp_path, name):
    box = tmp_path / "box"
    box.mkdir()
    (box / "link").symlink_to(tmp_path)
    with pytest.raises(ComponentError, match="leads out"):
        inside(box, name)
    with pytest.raises(ComponentError, match="leads out"):
        run(["true"], box, 60, {name: b"content"})
    assert not (tmp_path / "x").exists()


def test_a_result_must_be_a_file_of_the_folder(tmp_path):
    box = tmp_path / "box"
    box.mkdir()
    (tmp_path / "secret").write_text("secret")
    (box / "there").symlink_to(tmp_path / "secret")
    os.mkfifo(box / "pipe")
    (box / "real").write_text("x")
    with pytest.raises(ComponentError, match="leads out"):
        result(box, "there")
    for name in ("missing", "pipe"):
        with pytest.raises(ComponentError, match="no file"):
            result(box, name)
    assert result(box, "real").read_text() == "x"


def test_logs_that_are_links_are_not_written_through(tmp_path):
    box = tmp_path / "box"
    box.mkdir()
    (box / STDOUT).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ComponentError, match="leads out"):
        run(["true"], box, 60)
    assert not (tmp_path / "elsewhere").exists()


def test_inputs_are_put_there(tmp_path):
    (tmp_path / "box").mkdir()
    (tmp_path / "data.txt").write_text("copied")
    code = "print(open('in/a').read(), open('b').read())"
    inputs = {"in/a": b"written", "b": tmp_path / "data.txt"}
    assert run([sys.executable, "-c", code], tmp_path / "box", 60, inputs).tail == "written copied"


@pytest.mark.parametrize("argv", [[], ["no-such-program"], ["/no/such/program"], ["./missing"], ["../x"], ["a\0b"]])
def test_a_program_that_is_not_there_is_told(tmp_path, argv):
    with pytest.raises(ComponentError):
        run(argv, tmp_path, 60)


def test_secrets_of_the_server_stay_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIVIUM_JOBS_URL", "postgresql://user:password@host/name")
    monkeypatch.setenv("PORT", "5000")
    monkeypatch.setenv("OTHER", "yes")
    code = (
        "import os; print([x for x in os.environ if x.startswith(('TRIVIUM_', 'PORT'))], os.environ['OTHER'], "
        "os.environ['MINE'])"
    )
    assert run([sys.executable, "-c", code], tmp_path, 60, environment={"MINE": "1"}).tail == "[] yes 1"


def test_memory_stays_flat_however_much_is_printed(tmp_path):
    code = f"""
import pathlib, resource, sys
from trivium.experiment.runner import run
def go(megabytes):
    chatter = "import sys\\nfor _ in range(%d): sys.stdout.write('x' * 1048575 + chr(10))" % megabytes
    run([sys.executable, "-c", chatter], pathlib.Path({str(tmp_path)!r}), 600)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = go(1)
print(go(200) - small)
"""
    grown = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    assert (tmp_path / STDOUT).stat().st_size < 201 * 2**20  # what a log has at most was left
    assert grown < 8 * 1024  # [kB]


def test_a_log_is_capped_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_LONGEST", 1000)
    monkeypatch.setattr(runner, "_HEAD", 100)
    code = "import time\nprint('first' + 'x' * 5000, flush=True)\ntime.sleep(1)\nprint('last', flush=True)"
    run([sys.executable, "-c", code], tmp_path, 60)
    text = (tmp_path / STDOUT).read_text()
    assert text.startswith("firstxxx")
    assert "bytes are left out here: a log has 1000 at most" in text
    assert text.endswith("last\n")
    assert len(text) < 400
