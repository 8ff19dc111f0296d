"""The site: `make docs` builds it into build/docs, from these pages and from docstrings. Nothing is
fetched, neither when it is built nor when it is read."""

import os
import re
import shutil
import sys
from inspect import Parameter, signature
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import autograd_core  # noqa: E402
from tools import gallery, reference, samples  # noqa: E402

project = "autograd-core"
author = "the authors of autograd-core"
version = release = autograd_core.__version__
copyright = author

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_nb"]
exclude_patterns = ["jupyter_execute", "gallery/cards.md"]  # included by gallery.md
suppress_warnings: list[str] = []

# ---- appearance ----------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = project
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "back_to_top_button": False,
}
# pages that belong to no section
ALONE = ["index", "gallery", "how-it-works", "engine", "faq", "changelog", "contributing"]
html_sidebars: dict[str, list[str]] = {page: [] for page in ALONE}
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_extra_path = ["gallery/files"]
html_css_files = ["site.css"]
nb_ipywidgets_js: dict[str, object] = {}  # by default it is loaded from a server

# ---- pages ---------------------------------------------------------------------------------------

myst_enable_extensions = ["attrs_block"]
myst_heading_anchors = 3
# the kernels inherit it: Hypothesis leaves no folder beside the pages
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(ROOT / "build" / "hypothesis")
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True  # what a cell prints is one block

# Files of the repository that are pages here. A link from a page to another file of the repository,
# such as ../examples/neuron.py, works on GitHub, and here MyST makes a copy of the file.
SHOWN = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
} | {f"notebooks/{path.name}": f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb")}


def linked(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let links to the files in `SHOWN` lead to their pages."""
    up = "../" * (1 + docname.count("/"))

    def page(match: re.Match[str]) -> str:
        return f"]({up[3:]}{SHOWN[match[1]]}"

    names = "|".join(map(re.escape, SHOWN))
    source[0] = re.sub(rf"\]\({re.escape(up)}({names})", page, source[0])


# ---- docstrings ----------------------------------------------------------------------------------

autodoc_typehints = "none"
autodoc_inherit_docstrings = False
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
nitpicky = True


def marked_up(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]):
    """A docstring as reStructuredText, with links from the public names in it."""
    own = set(parameters(obj)) | {name.rpartition(".")[2]}

    def link(word: str) -> str | None:
        return None if word in own else reference.link(word, name.partition(".")[0])

    if what in ("function", "class"):
        lines[:] = samples.completed(name, lines, Path(app.srcdir) / "reference" / "images")
    lines[:] = reference.marked_up(lines, link)


def parameters(obj: object) -> dict[str, Parameter]:
    try:
        return dict(signature(obj).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return {}


def setup(app: Sphinx) -> None:
    reference.write(Path(app.srcdir) / "reference")
    gallery.write(Path(app.srcdir) / "gallery")
    shutil.copytree(ROOT / "notebooks", Path(app.srcdir) / "notebooks", dirs_exist_ok=True)
    app.connect("source-read", linked)
    app.connect("autodoc-process-docstring", marked_up, priority=100)  # before numpydoc
