"""Columns as the server packs them, and frames of pandas."""

from __future__ import annotations

import numpy as np

from trivium.client.columns import unpack
from trivium.protocol import Columns
from trivium.server.columns import npz
from trivium.server.wording import Reply
from trivium.session.proxy import connect


def test_an_archive_comes_back_bit_by_bit():
    values = np.array([0.1, np.nan, 1e-300])
    answer = Reply(200, "done", {"steps": 3})
    session = connect(None, None)
    columns = {"time": np.array([0.0, 300.0, 600.0]), "T_ä": values}
    body = npz(answer, columns, answer.payload, session).get_data()
    reply, columns = unpack(body)
    assert reply == {"status": 200, "message": "done", "payload": {"steps": 3}}
    assert list(columns) == ["time", "T_ä"]
    assert columns["T_ä"].tobytes() == values.tobytes()


def test_null_is_not_a_number():
    columns = Columns({"time": [0, 300], "Head_required": [None, 2.5]})
    assert np.isnan(columns["Head_required"][0])
    assert columns["Head_required"][1] == 2.5


def test_a_frame_has_the_time_as_its_index():
    frame = Columns({"time": [0, 300, 600], "a": [1, 2, 3], "b": [4, 5, 6]}).frame()
    assert frame.index.name == "time"
    assert frame.loc[300.0].to_dict() == {"a": 2.0, "b": 5.0}
