"""The gallery of the site: every example with its picture, or with what it prints.

docs/conf.py calls `write` when the site is built. It runs each example that has changed with
``--quick``, and writes the cards that docs/gallery.md includes to docs/gallery, with the pictures;
they are not in the repository. A test reports examples that are in no group.
"""

from __future__ import annotations

import ast
import html
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
GROUPS = {
    "An introductory lecture": [
        "neuron",
        "forward_pass",
        "one_hot_mse",
        "chain_rule",
        "backpropagation",
        "small_network",
        "gradient_descent",
        "landscapes",
        "batch_sizes",
        "universal_approximation",
        "vanishing_gradients",
        "regularisation",
    ],
    "Networks": [
        "mnist_mlp",
        "mnist_adam",
        "lenet",
        "residual",
        "adding",
        "transformer",
        "vae",
        "diffusion",
        "sweep",
    ],
    "Equations and optimisation": [
        "conductivity",
        "heat_equation",
        "minimize",
        "fixed_point",
        "odeint",
    ],
}
NOT_RUN = {"sweep": "It needs joblib, which the site does not install."}
# of the examples that write several pictures; of the others, the first by name
MAIN = {"vanishing_gradients": "flows.png", "mnist_mlp": "curves.png"}
SOURCES = (".py", ".js", ".css")  # the pages have scripts and styles
PICTURES = (".png", ".svg", ".gif")
AT_ONCE = 2  # runs at a time
LIMIT = 600  # seconds for one run
STAMP = "printed.txt"  # what an example printed; written last, when the run has succeeded


class Example(NamedTuple):
    """What the docstring of an example says."""

    name: str
    title: str
    command: str
    text: str  # the first paragraph


def names() -> list[str]:
    """The names of the examples, in the order of the page."""
    return [name for group in GROUPS.values() for name in group]


def described(name: str) -> Example:
    """The title, the first command and the first paragraph of the docstring of an example."""
    tree = ast.parse((ROOT / "examples" / f"{name}.py").read_text())
    title, *paragraphs = (ast.get_docstring(tree) or "").split("\n\n")
    commands = next(text for text in paragraphs if f"python -m examples.{name}" in text)
    command, _, comment = commands.strip().split("\n")[0].partition("  ")
    if comment:
        command += "  " + comment.strip()
    text = next(text for text in paragraphs if not text.startswith(" "))
    text = re.sub(r"(?<![\w`-])--\w[\w-]*", r"`\g<0>`", text)  # an option, not a dash
    return Example(name, title.removesuffix("."), command, text)


def newest_source() -> float:
    """When a file that an example can depend on was last changed."""
    folders = (ROOT / name for name in ("examples", "autograd_core", "nn"))
    found = (path for folder in folders for path in folder.rglob("*"))
    return max(path.stat().st_mtime for path in found if path.suffix in SOURCES)


def run(folder: Path, name: str) -> None:
    """Run an example with ``--quick`` and keep what it wrote in `folder`/`name`."""
    start = time.perf_counter()
    own = {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"examples.{name}", "--quick"]
    with TemporaryDirectory() as place:
        done = subprocess.run(
            command,
            cwd=place,
            env=os.environ | own | {"PYTHONIOENCODING": "utf-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LIMIT,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
        kept = folder / name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for path in sorted((Path(place) / "runs" / name).glob("*")):
            if path.suffix in (*PICTURES, ".html"):
                shutil.copy(path, kept)
        (kept / STAMP).write_text(done.stdout, encoding="utf-8")
    print(f"gallery: {name}, {time.perf_counter() - start:.1f} s", flush=True)


def run_changed(folder: Path) -> None:
    """Run the examples whose results in `folder` are older than a source file, a few at a time."""
    newest = newest_source()
    stamps = {name: folder / name / STAMP for name in names() if name not in NOT_RUN}
    changed = [
        name
        for name, stamp in stamps.items()
        if not stamp.exists() or stamp.stat().st_mtime < newest
    ]
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        list(pool.map(partial(run, folder), changed))
    finally:
        pool.shutdown(cancel_futures=True)


def cards(folder: Path) -> str:
    """The text of the page docs/gallery.md, with links to the files in `folder`."""
    parts: list[str] = []
    for heading, group in GROUPS.items():
        items = [_item("\n\n".join(_card(described(name), folder / name))) for name in group]
        parts += [f"## {heading}", "{.gallery}\n" + "\n\n".join(items)]
    return "\n\n".join(parts) + "\n"


def _item(text: str) -> str:
    """The text as an item of a list."""
    lines = [f"  {line}" if line else "" for line in text.split("\n")]
    return "- " + "\n".join(lines)[2:]


def _card(example: Example, folder: Path) -> Iterator[str]:
    """The paragraphs of an example in Markdown."""
    name = example.name
    files = sorted(path.name for path in folder.glob("*") if path.name != STAMP)
    pictures = sorted(
        (file for file in files if file.endswith(PICTURES)),
        key=lambda file: (file != MAIN.get(name), PICTURES.index(file[-4:]), file),
    )
    yield f"**{example.title}** ([{name}.py](../examples/{name}.py))"
    if pictures:
        shown = html.escape(example.title)
        yield (
            f'<a class="picture" href="gallery/{name}/{pictures[0]}">'
            f'<img src="gallery/{name}/{pictures[0]}" alt="{shown}" loading="lazy"></a>'
        )
    yield example.text
    yield f"```shell\n{example.command}\n```"
    if name in NOT_RUN:
        yield f"Not run for this page. {NOT_RUN[name]}"
        return
    pages = [file for file in files if file.endswith(".html")]
    if pages:
        links = (f'<a href="gallery/{name}/{file}">step through its passes</a>' for file in pages)
        yield f"Interactive page: {', '.join(links)}."
    if pictures[1:]:
        links = (f'<a href="gallery/{name}/{file}">{file}</a>' for file in pictures[1:])
        yield f"More pictures: {', '.join(links)}."
    is_open = "" if pictures else " open"
    yield f"<details{is_open}><summary>What it prints</summary>"
    yield f"```text\n{(folder / STAMP).read_text(encoding='utf-8').strip()}\n```"
    yield "</details>"


def write(folder: Path) -> None:
    """Run the examples that have changed, and write their cards if the text is another one.

    The pictures are in `folder`/files/gallery: Sphinx copies the contents of `folder`/files to the
    site, and the cards link to them there.
    """
    files = folder / "files" / "gallery"
    files.mkdir(parents=True, exist_ok=True)
    for old in files.iterdir():
        if old.name not in names():
            shutil.rmtree(old)
    run_changed(files)
    path, text = folder / "cards.md", cards(files)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
