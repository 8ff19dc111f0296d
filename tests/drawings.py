"""What tests read in a drawing."""

import re
from html import unescape

import pytest

from autograd_core.rendering import RendererError, renderer


def has_renderer(format):
    try:
        renderer.find_renderer(format)
    except RendererError:
        return False
    return True


needs_renderer = pytest.mark.skipif(
    not has_renderer("svg"), reason="neither dot nor graphviz-pure is installed: no SVG is checked"
)


def words(label):
    """The lines of an HTML-like label, as a person reads them."""
    lines = re.split(r"<BR/>|</TR>", label)
    lines = [unescape(re.sub(r"<[^>]*>", "", line)).replace("\\\\", "\\") for line in lines]
    return [line.strip("\xa0 ") for line in lines if line.strip("\xa0 ")]


def boxes(picture):
    """The lines of each box by its id."""
    found = re.findall(r"^\t+(\w+) \[id=.*?label=<(.*)>, tooltip=", picture.dot, re.MULTILINE)
    return {id_: words(label) for id_, label in found}


def arrows(picture):
    """(source, target, label lines) of each arrow, ends by the titles of their boxes."""
    titles = {id_: lines[0] for id_, lines in boxes(picture).items()}
    found = re.findall(
        r'^\t(\w+) -> (\w+) \[id="\w+"(?:, label=<(.*?)>)?, (?:weight|constraint)=\w+(, dir=back)?',
        picture.dot, re.MULTILINE,
    )  # fmt: skip
    return [
        (titles[head if back else tail], titles[tail if back else head], words(label))
        for tail, head, label, back in found
    ]
