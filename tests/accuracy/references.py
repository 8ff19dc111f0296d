"""Computes the references of the accuracy table with mpmath and keeps them as data.

``python -m tests.accuracy.references`` computes what is missing, with names those anew, and with
``--compare`` it computes everything and says where it differs from what is kept. A point has
the value and, for each operand, the first and second derivative in it with the conditions of both:
how much they move, in all, when each operand moves by a share of itself.
"""

import sys
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from mpmath import mp

from tests.accuracy.densities import DENSITIES
from tests.accuracy.functions import KINK, REALS, ROWS, Exact
from tests.table.rows import ROWS as TABLE


def _of_the_table(row):
    """A row of the op table that says what is exact, over all real operands."""
    if len(row.keeps) == 1:
        return Exact(row.name, row.exact, **KINK)
    return Exact(row.name, row.exact, (REALS,) * len(row.keeps), singular=(0.0,))


MEASURED = (*ROWS, *DENSITIES, *(_of_the_table(row) for row in TABLE if row.exact is not None))
EXACT = {row.title: row for row in MEASURED}
DATA = Path(__file__).parents[1] / "data" / "accuracy.npz"
STEP = 60  # bits of a step; differences are exact to twice as many


def _step(row, x):
    """The step in one operand: small beside 1 and beside the distance to what is singular."""
    distance = min([1.0, *(abs(x - point) for point in row.singular if x != point)])
    return mp.ldexp(mp.mpf(distance), -STEP) / row.pace(x)


def _bits(row, point, steps):
    """How many bits third differences need: for what the steps take away, for derivatives that are
    small beside the value, and for derivatives that are powers of x."""
    far = sum(abs(mp.mag(x)) for x in point if x)
    return 200 + row.hidden + row.far * far + 3 * max(STEP, *(-mp.mag(h) for h in steps))


def _differences(row, point):
    """The value, the condition of the value, and for each operand f_i, its condition, f_ii, its."""
    steps = [_step(row, x) for x in point]
    mp.prec = int(_bits(row, point, steps))
    x = [mp.mpf(number) for number in point]
    steps = [+h for h in steps]
    known = {}

    def f(*moves):
        if moves not in known:
            moved = (a + n * h for a, n, h in zip(x, moves, steps, strict=True))
            known[moves] = row.reference(*row.fixed, *moved)
        return known[moves]

    n = range(len(x))

    def at(*changes):
        return f(*(sum(by for j, by in changes if j == i) for i in n))

    first = [(at((i, 1)) - at((i, -1))) / (2 * steps[i]) for i in n]
    second = [(at((i, 1)) - 2 * at() + at((i, -1))) / steps[i] ** 2 for i in n]
    found = [at(), sum(abs(a * d) for a, d in zip(x, first, strict=True))]
    for i in n:
        sensitivity, curvature = abs(x[i] * second[i]), mp.mpf(0)
        triple = at((i, 2)) - 2 * at((i, 1)) + 2 * at((i, -1)) - at((i, -2))
        curvature += abs(x[i] * triple / (2 * steps[i] ** 3))
        for j in n:
            if j != i:
                corner = {(a, b): at((i, a), (j, b)) for a in (-1, 0, 1) for b in (-1, 1)}
                mixed = corner[1, 1] - corner[1, -1] - corner[-1, 1] + corner[-1, -1]
                sensitivity += abs(x[j] * mixed / (4 * steps[i] * steps[j]))
                bent = sum(b * (corner[1, b] - 2 * corner[0, b] + corner[-1, b]) for b in (-1, 1))
                curvature += abs(x[j] * bent / (2 * steps[i] ** 2 * steps[j]))
        found += [first[i], sensitivity, second[i], curvature]
    return [float(number) for number in found]


def _known(row, point):
    """The same by the row's own derivatives, of one operand."""
    x = mp.mpf(point[0])
    mp.prec = int(200 + 3 * abs(mp.mag(x))) if x else 200
    value, first, second, third = row.jet(x)
    found = [value, abs(x * first), first, abs(x * second), second, abs(x * third)]
    return [float(number) for number in found]


def computed(title):
    """The references of one row, as an array (points, 2 + 4 * operands)."""
    row = EXACT[title]
    measure = _differences if row.jet is None else _known
    found = np.array([measure(row, point) for point in row.points.tolist()])
    found[:, 1::2] = _rounded(found[:, 1::2])
    return found


def _rounded(conditions):
    """Up to the next of 8 numbers in a binade: they need no more, and compress better."""
    mantissa, exponent = np.frexp(conditions)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ldexp(np.ceil(mantissa * 16) / 16, exponent)


# In the file the bytes of a kind lie together, column by column: then they compress to a third.


def load():
    """The references of every row by its title."""
    with np.load(DATA) as file:
        return {title: _unplaned(file[title]) for title in file.files}


def save(references):
    with zipfile.ZipFile(DATA, "w") as archive:
        for title, array in sorted(references.items()):
            entry = zipfile.ZipInfo(f"{title}.npy", (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_LZMA
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, _planed(array))


def _planed(array):
    """(points, columns) of float64 as bytes (columns, 8, points)."""
    columns = np.ascontiguousarray(array.T)
    return np.ascontiguousarray(columns.view(np.uint8).reshape(*columns.shape, 8).swapaxes(1, 2))


def _unplaned(planes):
    bytes_of_each = np.ascontiguousarray(planes.swapaxes(1, 2))
    return bytes_of_each.view(np.float64)[..., 0].T


def compute(titles):
    """The references of these rows, each as soon as it is there."""
    with ProcessPoolExecutor(2) as pool:
        works = {pool.submit(computed, title): title for title in titles}
        for work in as_completed(works):
            print(f"{works[work]}: {len(work.result())} points", flush=True)
            yield works[work], work.result()


def main(*titles):
    references = load() if DATA.exists() else {}
    wanted = titles or [title for title in EXACT if title not in references]
    for title, found in compute(wanted):
        references[title] = found
        save({name: references[name] for name in EXACT if name in references})


def compare():
    """Raises SystemExit where a number that is kept is not the one that is computed now."""
    kept = load()
    wrong = [title for title, found in compute(EXACT) if not np.array_equal(found, kept[title])]
    if wrong:
        raise SystemExit(f"other numbers than those that are kept: {wrong}")


if __name__ == "__main__":
    compare() if sys.argv[1:] == ["--compare"] else main(*sys.argv[1:])
