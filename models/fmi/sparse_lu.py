"""Symbolic LU factorisation with a fixed pattern, ordering and fill-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["SymbolicLU", "factorise"]


@dataclass(frozen=True)
class SymbolicLU:
    """Pattern of the factors of a permuted square matrix whose pivots stay on the diagonal.

    Parameters
    ----------
    order : tuple of int
        ``order[i]`` is the original index of row and column i.
    row : tuple of int, length n + 1
        Where each row of the factors starts.
    column : tuple of int
        Column (permuted) of every entry, ascending within a row.
    diagonal : tuple of int, length n
        Position of each pivot.
    from_matrix : tuple of int
        Position, in the factors, of every entry of the original matrix, in the order they were given.
    target : tuple of int
        Positions that elimination updates, in the order it visits them.
    """

    order: tuple[int, ...]
    row: tuple[int, ...]
    column: tuple[int, ...]
    diagonal: tuple[int, ...]
    from_matrix: tuple[int, ...]
    target: tuple[int, ...]


def factorise(n: int, rows: Sequence[int], columns: Sequence[int]) -> SymbolicLU:
    """Order and factorise a pattern symbolically.

    The ordering is minimum degree on the pattern of A + A^T (Tinney and Walker 1967, scheme 2), ties to the lower
    index.

    Parameters
    ----------
    n : int
        Order of the matrix.
    rows, columns : sequence of int
        Positions of the entries; the diagonal is added.

    Returns
    -------
    SymbolicLU
    """
    order = _minimum_degree(n, rows, columns)
    place = {original: i for i, original in enumerate(order)}
    pattern: list[set[int]] = [{i} for i in range(n)]
    for i, j in zip(rows, columns, strict=True):
        pattern[place[i]].add(place[j])
    upper: list[list[int]] = []
    for i in range(n):
        # the row's lower part grows while it is eliminated, hence the smallest untreated column again and again
        done: set[int] = set()
        while lower := [k for k in pattern[i] if k < i and k not in done]:
            k = min(lower)
            done.add(k)
            pattern[i].update(upper[k])
        upper.append(sorted(j for j in pattern[i] if j > i))

    row, column, diagonal = [0], [], []
    where: list[dict[int, int]] = []
    for i in range(n):
        where.append({j: len(column) + offset for offset, j in enumerate(sorted(pattern[i]))})
        column.extend(sorted(pattern[i]))
        diagonal.append(where[i][i])
        row.append(len(column))
    target = [where[i][j] for i in range(n) for k in sorted(where[i]) if k < i for j in upper[k]]
    return SymbolicLU(
        order=tuple(order),
        row=tuple(row),
        column=tuple(column),
        diagonal=tuple(diagonal),
        from_matrix=tuple(where[place[i]][place[j]] for i, j in zip(rows, columns, strict=True)),
        target=tuple(target),
    )


def _minimum_degree(n: int, rows: Sequence[int], columns: Sequence[int]) -> list[int]:
    """Order in which nodes of least degree are eliminated from the graph of A + A^T."""
    neighbours: dict[int, set[int]] = {i: set() for i in range(n)}
    for i, j in zip(rows, columns, strict=True):
        if i != j:
            neighbours[i].add(j)
            neighbours[j].add(i)
    order = []
    while neighbours:
        node = min(neighbours, key=lambda i: (len(neighbours[i]), i))
        clique = neighbours.pop(node)
        for other in clique:
            neighbours[other] |= clique
            neighbours[other] -= {other, node}
        order.append(node)
    return order
