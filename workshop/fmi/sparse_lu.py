"""LU factorisation with a fixed pattern, ordering and fill-in: symbolic part and C code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["SymbolicLU", "factorise", "unroll"]


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

    row: list[int] = [0]
    column: list[int] = []
    diagonal: list[int] = []
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


def unroll(lu: SymbolicLU) -> str:
    """Write the factorisation and the solution out as C: with the pattern fixed, nothing is left to look up.

    Parameters
    ----------
    lu : SymbolicLU
        Factors of the transposed matrix: its rows are the columns of the matrix, so that solving runs over columns,
        whose updates do not wait for each other as the sums over a row would.

    Returns
    -------
    str
        C functions ``lu_factor`` and ``lu_solve``, see ``csrc/instance.h``.
    """
    n = len(lu.diagonal)
    source = {position: k for k, position in enumerate(lu.from_matrix)}
    diagonal = set(lu.diagonal)
    lines = [
        "/* Generated: LU factors of I / (gamma h) - J, whose pattern, ordering (minimum degree) "
        "and pivots (the diagonal)",
        " * are fixed. */",
        '#include "instance.h"',
        "",
        "int lu_factor(Workspace *w, double d)",
        "{",
        "    double *restrict a = w->lu, *restrict q = w->inverse_diagonal;",
        "    const double *restrict j = w->jac;",
        "    const double least = 1e-12 * d;",
        "    double f;",
        "    (void)j, (void)f;",
    ]
    for position in range(len(lu.column)):
        value = "d" if position in diagonal else "0.0"
        if position in source:
            value = f"{value} - j[{source[position]}]" if position in diagonal else f"-j[{source[position]}]"
        lines.append(f"    a[{position}] = {value};")
    target = iter(lu.target)
    for i in range(n):
        for position in range(lu.row[i], lu.diagonal[i]):
            k = lu.column[position]
            lines.append(f"    f = a[{position}] *= q[{k}];")
            updates = range(lu.diagonal[k] + 1, lu.row[k + 1])
            lines.extend(f"    a[{next(target)}] -= f * a[{other}];" for other in updates)
        lines.append(f"    if (!(fabs(a[{lu.diagonal[i]}]) > least)) return 0;")
        lines.append(f"    q[{i}] = 1.0 / a[{lu.diagonal[i]}];")
    lines += [
        "    return 1;",
        "}",
        "",
        "void lu_solve(const Workspace *w, double *restrict b)",
        "{",
        "    const double *restrict a = w->lu, *restrict q = w->inverse_diagonal;",
    ]
    lines += [f"    double z{i} = b[{original}];" for i, original in enumerate(lu.order)]
    for i in range(n):
        lines.append(f"    z{i} *= q[{i}];")
        upper = range(lu.diagonal[i] + 1, lu.row[i + 1])
        lines.extend(f"    z{lu.column[position]} -= a[{position}] * z{i};" for position in upper)
    for i in reversed(range(n)):
        lines.append(f"    b[{lu.order[i]}] = z{i};")
        lower = range(lu.row[i], lu.diagonal[i])
        lines.extend(f"    z{lu.column[position]} -= a[{position}] * z{i};" for position in lower)
    return "\n".join([*lines, "}", ""])


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
