"""Checks the links within a built site: ``python -m tools.links build/docs`` prints those that lead
to a file or an anchor that does not exist, and ends with an error if there are any."""

from __future__ import annotations

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SOURCES = {"a": "href", "link": "href", "img": "src", "script": "src", "iframe": "src"}
BY_SCRIPT = "#"  # a button that a script handles


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := given.get(key))}
        if (target := given.get(SOURCES.get(tag, ""))) and target != BY_SCRIPT:
            self.links.append(target)


@cache
def page(path: Path) -> Page:
    return Page(path)


def dead(path: Path) -> list[str]:
    """The links of a page that lead nowhere in the site. Other sites are not looked at."""
    found = []
    for link in page(path).links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        target = target / "index.html" if target.is_dir() else target
        anchored = parts.fragment and target.suffix == ".html" and target.exists()
        if not target.exists() or (
            anchored and unquote(parts.fragment) not in page(target).anchors
        ):
            found.append(link)
    return found


def main(folder: str) -> int:
    """Check all pages of a folder."""
    found = Path(folder).resolve().rglob("*.html")
    paths = sorted(path for path in found if "_static" not in path.parts)  # a theme's own files
    wrong = {path: links for path in paths if (links := dead(path))}
    for path, links in wrong.items():
        print(f"{path.relative_to(Path(folder).resolve())}: {', '.join(links)}")
    print(f"{len(paths)} pages, {sum(map(len, wrong.values()))} links that lead nowhere")
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
