"""Mutation testing of the rules: is every error in them seen by the rows of their own operation?

    make mutants                    # all operations, on all cores
    python -m tests.mutation exp linalg.solve

In each rule one thing at a time is changed: a constant, a sign, an operator, an operand, an axis, a
conjugate. A mutant is killed when a check of one of the operation's rows fails. Those that survive
are printed; each that computes the same gradient is listed in data/mutants.txt with the reason, and
any other is a hole in a row: exit 1.
"""

import ast
import copy
import dis
import os
import signal
import sys
import textwrap
import warnings
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autograd_core import operations
from autograd_core.engine.op import row_by_row
from tests.devices import Host
from tests.table.checks import check_batched, check_gradient, check_precision
from tests.table.rows import DIFFERENTIABLE
from tests.table.singular_points import POINTS, check_point
from tests.test_accuracy import EXACT, REFERENCES, misses

CASES = 60
SECONDS = 30  # of a processor; the slowest row takes one
ACCURATE = [row for row in EXACT.values() if row.title in REFERENCES]
LISTED = Path(__file__).parent / "data" / "mutants.txt"
OTHER = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip

ROWS = {}  # the rows of each operation that has rules of its own
for row in sorted(DIFFERENTIABLE, key=lambda row: row.id):
    if not row.composed and not row.transfer:
        ROWS.setdefault(row.name, []).append(row)


# ---- mutants -------------------------------------------------------------------------------------


def changes(node, parameters):
    """What may stand in place of a node."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Name) and node.id in parameters and isinstance(node.ctx, ast.Load):
        if len(parameters) > 1:
            following = parameters[(parameters.index(node.id) + 1) % len(parameters)]
            yield ast.Name(following, ast.Load())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.BinOp) and type(node.op) in OTHER:
        yield ast.BinOp(node.left, OTHER[type(node.op)](), node.right)
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        yield ast.Compare(node.left, [OTHER[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".conj", "conjugate")):
        yield node.args[0] if node.args else node.func.value


def annotations(tree):
    """Nodes that compute nothing."""
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if part is not None:
                yield from ast.walk(part)
        if isinstance(node, ast.Raise):
            yield from ast.walk(node)


def mutants(tree, parameters):
    """Each mutant of a rule's syntax tree: (what was changed, and where, and the changed tree)."""
    skipped = {id(node) for node in annotations(tree)}
    places = [node for node in ast.walk(tree) if id(node) not in skipped]
    order = {id(node): i for i, node in enumerate(ast.walk(tree))}
    above = {id(child): node for node in places for child in ast.iter_child_nodes(node)}
    for place in places:
        for change in changes(place, parameters):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[order[id(place)]]

            class Swap(ast.NodeTransformer):
                def visit(self, node, target=target, change=change):
                    return copy.deepcopy(change) if node is target else self.generic_visit(node)

            what = f"{ast.unparse(place)} → {ast.unparse(change)}"
            around = " ".join(ast.unparse(above[id(place)]).split()).removeprefix("lambda ")
            yield f"{what} in {around}", ast.fix_missing_locations(Swap().visit(changed))


def tree_of(function):
    """The syntax tree of a rule, or None where it has none of its own."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    source = ast.parse(Path(code.co_filename).read_text())
    names = code.co_varnames[: code.co_argcount]
    for node in ast.walk(source):
        if not isinstance(node, ast.Lambda | ast.FunctionDef):
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        if first == code.co_firstlineno and tuple(a.arg for a in node.args.args) == names:
            plain = copy.deepcopy(node)
            if isinstance(plain, ast.FunctionDef):
                plain.decorator_list = []
            made = built(plain, function)
            if instructions(made.__code__) == instructions(code):
                return plain
    return None


def instructions(code):
    """What a code does, wherever it stands. (Methods of what a module imports are loaded in
    another way inside of that module.)"""
    found = []
    for step in dis.get_instructions(code):
        what = step.argrepr.replace("NULL + ", "")
        elsewhere = "<code" in what or what.startswith("to ")
        name = step.opname.replace("LOAD_METHOD", "LOAD_ATTR")
        found.append((name, "" if elsewhere else " ".join(what.split())))
    return found


def built(tree, function):
    """The function of a syntax tree, with the globals and the closure of `function`."""
    free = function.__code__.co_freevars
    body = tree if isinstance(tree, ast.FunctionDef) else None
    text = ast.unparse(tree)
    result = tree.name if body else f"({text})"
    lines = f"def factory({', '.join(free)}):\n"
    lines += textwrap.indent(f"{text}\n" if body else "", "    ") + f"    return {result}\n"
    names = {}
    exec(compile(lines, "<mutant>", "exec"), function.__globals__, names)
    made = names["factory"](*(cell.cell_contents for cell in function.__closure__ or ()))
    made.__defaults__ = function.__defaults__
    return made


# ---- checks --------------------------------------------------------------------------------------


def drawn(row):
    """Some cases of a row."""
    found = []

    @settings(max_examples=CASES, derandomize=True, database=None, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(data=st.data())
    def draw(data):
        case = data.draw(row.cases)
        dtypes = ["f8", "c16"] if row.complex else ["f8"]
        found.append((case, case.cast(dtypes[len(found) % len(dtypes)])))

    draw()
    return sorted(found, key=lambda pair: -sum(array.size for array in pair[0].arrays))


def killed(rows, cases):
    """Whether a check of some row fails."""
    for row in rows:
        for case, smooth in cases[row.id]:
            try:
                check_gradient(row, smooth, Host)
                check_precision(row, case.cast("f4"), Host)
                check_batched(row, smooth, 4, Host)
            except Exception:  # whatever it is: the mutant has been seen
                return True
    if any(next(misses(row, "f8"), None) for row in ACCURATE if row.name == rows[0].name):
        return True
    for point in POINTS:
        if point.name == rows[0].name:
            try:
                check_point(point, Host)
            except Exception:
                return True
    return False


def seen(rows, cases):
    """Whether the rule as it stands now is seen to be wrong, by a process of its own: some mutants
    never end, inside of a library that no signal interrupts."""
    child = os.fork()
    if not child:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # which ends the process
        os._exit(killed(rows, cases))
    return os.waitpid(child, 0)[1] != 0


def tried(name):
    """All mutants of one operation's rules: (counts, the survivors, what is to be said)."""
    warnings.simplefilter("ignore")
    rows, counts, survivors, said = ROWS[name], Counter(), [], []
    cases = {row.id: drawn(row) for row in rows}
    if killed(rows, cases):
        raise ValueError(f"the rules of {name} fail as they are")
    for operand, rule in operations[name].rules.items():
        original, stacked = rule.function, rule.stacked
        tree = tree_of(original)
        if tree is None:
            counts["rules without a text of their own"] += 1
            said.append(f"not mutated: the rule of {name} for {operand}")
            continue
        code = original.__code__
        for what, changed in mutants(tree, list(code.co_varnames[: code.co_argcount])):
            rule.function = built(changed, original)
            whole = stacked is original
            rule.stacked = rule.function if whole else row_by_row(rule.function)
            if seen(rows, cases):
                counts["killed"] += 1
            else:
                counts["survived"] += 1
                survivors.append(f"{name}, {operand}: {what}")
        rule.function, rule.stacked = original, stacked
    return counts, survivors, said


def listed():
    """The survivors that are equivalent, with the reasons."""
    pairs = (line.split(" # ") for line in LISTED.read_text().splitlines() if " # " in line)
    return {name.strip(): reason for name, reason in pairs}


def main(only):
    names = [name for name in ROWS if not only or name in only]
    counts, survivors, known = Counter(), [], listed()
    with Pool(os.cpu_count()) as pool:
        for number, alive, said in pool.imap_unordered(tried, names):
            counts += number
            survivors += alive
            said += [f"survived: {key} # {known.get(key, 'A HOLE')}" for key in alive]
            for line in said:
                print(line, flush=True)
    print(f"\n{dict(counts)}")
    if not only:
        for key in known.keys() - set(survivors):
            print(f"listed, and killed: {key}")
    holes = [key for key in survivors if key not in known]
    raise SystemExit(f"{len(holes)} holes" if holes else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
