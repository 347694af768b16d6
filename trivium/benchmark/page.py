"""The leaderboard: a static page of results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from trivium.benchmark.result import read
from trivium.errors import InvalidValueError

_NUMBER = ' class="number"'
_STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
tr.refused { color: #767676 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } th, td { border-color: #444 }
  tr.refused { color: #909090 } }
"""
_NOTE = (
    "Score: the share of the way from the rule book (0) to the oracle (1), mean over the episodes, with a "
    "95 % interval. A policy that violates more than the rule book does not serve, and comes after those that do."
)


def write(folder: Path) -> str:
    """Return the page of all results in a folder.

    Raises
    ------
    InvalidValueError
        When the folder holds no result, or a file that is none.
    """
    results = [read(path) for path in sorted(folder.glob("*.json"))]
    if not results:
        raise InvalidValueError(f"{folder} holds no result (*.json)", "results")
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for result in results:
        groups.setdefault((result["task"], result["level"], result["objective"]), []).append(result)
    tables = "".join(_table(key, group) for key, group in sorted(groups.items()))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Leaderboard</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<h1>Leaderboard</h1>\n"
        f"<p>{_NOTE}</p>\n{tables}</body>\n</html>\n"
    )


def _table(key: tuple[str, str, str], results: Iterable[Mapping[str, Any]]) -> str:
    task, level, objective = key
    ordered = sorted(results, key=lambda result: (not result["serves"], -result["score"], result["policy"]["name"]))
    titles = ("policy", "score", "95 %", "episodes", "serves", "files, SHA-256")
    head = "".join(f'<th scope="col"{_NUMBER if i in (1, 2, 3) else ""}>{text}</th>' for i, text in enumerate(titles))
    rows = "".join(_row(result) for result in ordered)
    title = escape(f"{task}, level {level}, {objective}")
    return f"<h2>{title}</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"


def _row(result: Mapping[str, Any]) -> str:
    low, high = result["interval"]
    serves, policy = result["serves"], result["policy"]
    cells = [
        f'<th scope="row">{escape(policy["name"])}</th>',
        f"<td{_NUMBER}>{result['score']:.3f}</td>",
        f"<td{_NUMBER}>{low:.3f} to {high:.3f}</td>",
        f"<td{_NUMBER}>{len(result['seeds'])}</td>",
        f"<td>{'yes' if serves else 'does not serve'}</td>",
        f"<td><code>{escape(policy['sha256'][:12])}</code></td>",
    ]
    kind = "" if serves else ' class="refused"'
    return f"<tr{kind}>{''.join(cells)}</tr>\n"
