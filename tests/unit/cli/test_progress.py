"""Progress of steps: a bar on a terminal, lines elsewhere."""

import io

from trivium.cli.progress import bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    with bar(4, "rules", stream) as advance:
        for _ in range(4):
            advance(300.0)
    assert "rules" in stream.getvalue()
    assert "4/4" in stream.getvalue()


def test_the_bar_is_drawn_a_few_times_a_second_and_ends_where_the_steps_end():
    stream, times = Terminal(), iter(step / 1000 for step in range(3000))  # 1000 steps a second
    with bar(2500, "rules", stream, lambda: next(times)) as advance:
        for _ in range(2500):
            advance(300.0)
    assert 5 < stream.getvalue().count("rules") < 20
    assert "2500/2500" in stream.getvalue()


def test_elsewhere_lines_come_every_ten_seconds_of_a_long_run():
    stream, times = io.StringIO(), iter([0.0, 5.0, 10.0, 10.0, 12.0, 21.0, 21.0])
    with bar(4, "rules", stream, lambda: next(times)) as advance:
        for _ in range(4):
            advance(300.0)
    assert stream.getvalue().splitlines() == ["rules: 2 of 4 steps", "rules: 4 of 4 steps"]
