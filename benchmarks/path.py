"""The way of a step: how many functions and files of trivium one ``POST /advance`` enters.

``python -m benchmarks.path`` prints both processes' counts: that of the web tier, from the request to the reply, and
that of the session's host, from receiving the message to sending the answer. Comprehensions, generator expressions and
lambdas are no functions of their own here: they belong to the function that they are written in.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from trivium import __file__ as package
from trivium.application import create_app
from trivium.protocol import Simulation
from trivium.session.config import Config
from trivium.session.folder import Folder
from trivium.session.frames import pack, receive, send
from trivium.session.host import Host
from trivium.settings import Settings

_ROOT = f"{Path(package).parent}{os.sep}"


def entered(work: Callable[[], object]) -> Counter[str]:
    """Return how often some work of this thread enters each function of trivium, by file and name."""
    functions: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(_ROOT) and not code.co_name.startswith("<"):
            functions[f"{code.co_filename.removeprefix(_ROOT)} {code.co_qualname}"] += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return functions


def in_the_web_tier(settings: Settings) -> Counter[str]:
    """Return what a request enters in the process of the server."""
    app = create_app(settings)
    client = app.test_client()
    client.put("/initialize", json={"start_time": 0})
    client.post("/advance", json={})
    functions = entered(lambda: client.post("/advance", json={"Tchws_set_CHI": 287.15}))
    client.put("/stop")
    return functions


def in_the_host(settings: Settings) -> Counter[str]:
    """Return what a request enters in the process of a session; it is made here and ended."""
    config = Config(
        state_dir=str(settings.state_dir), resources=str(settings.resources), testid="path", engine=settings.engine,
        durability=settings.durability, idle_timeout=60.0, recycle_steps=0, memory=2**33,
    )  # fmt: skip
    Folder(settings.state_dir, config.testid).create({"testcase": "path"})
    reading, writing = os.pipe()
    if os.fork() == 0:
        session = Host(config).session
        ours, theirs = socket.socketpair()

        def serve() -> None:
            send(theirs, session.answer(receive(theirs)))

        for number in range(3):
            request = {"method": Simulation.advance.__name__, "args": [{"Tchws_set_CHI": 287.15}], "options": {}}
            send(ours, pack({**request, "id": f"{number:032}", "clock": None, "key": None}))
            functions = entered(serve)
        os.write(writing, json.dumps(functions).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        functions = Counter(json.loads(pipe.read()))
    os.wait()
    return functions


def main() -> None:
    """Print both counts, and the files of each."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(state_dir=Path(folder))
        for place, count in (("host", in_the_host), ("web tier", in_the_web_tier)):
            functions = count(settings)
            files = Counter(name.split()[0] for name in functions)
            print(f"{place}: {len(functions)} functions in {len(files)} files, {functions.total()} calls")
            for name, number in files.most_common():
                print(f"  {number:4} {name}")


if __name__ == "__main__":
    main()
