"""The gallery of the site. The examples themselves are run by other tests, and when it is built."""

import os
import re

import pytest

from tools import gallery

EXAMPLES = gallery.ROOT / "examples"


def test_every_example_is_in_the_gallery():
    files = {path.stem: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.py")}
    found = [name for name, text in files.items() if f"\n    python -m examples.{name}" in text]
    assert sorted(gallery.names()) == sorted(found), "add it to GROUPS in tools/gallery.py"
    assert set(gallery.NOT_RUN) <= set(found)


def test_every_example_is_in_the_list_of_docs():
    text = (gallery.ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    assert not [name for name in gallery.names() if f"(../examples/{name}.py)" not in text]


@pytest.mark.parametrize("name", gallery.names())
def test_an_example_is_described(name):
    example = gallery.described(name)
    assert example.title
    assert example.command.startswith(f"python -m examples.{name}")
    assert example.text.rstrip()[-1] in ".:"
    assert not re.search(r"[*_<]", re.sub("``.*?``|`.*?`", "", example.text)), "would be Markdown"


@pytest.mark.parametrize(
    "name", sorted(set(gallery.names()) - {"minimize", "fixed_point", "odeint"})
)
def test_an_example_has_a_quick_run(name):
    """The three others take a few seconds, and no arguments."""
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    shared = re.search(r"import .*\b(options|run)\b", text)
    assert '"--quick"' in text or "mnist_options" in text or shared


def files(folder, *names):
    folder.mkdir(parents=True)
    for name in (*names, gallery.STAMP):
        (folder / name).write_text("1 < 2\n")


def test_a_card_has_the_picture_and_the_page(tmp_path):
    files(tmp_path / "run", "b.png", "a.gif", "curves.png", "graph.html")
    card = "\n\n".join(gallery._card(gallery.described("mnist_mlp"), tmp_path / "run"))
    picture = "gallery/mnist_mlp/curves.png"
    assert f'<a class="picture" href="{picture}"><img src="{picture}"' in card
    assert '<a href="gallery/mnist_mlp/graph.html">' in card
    assert re.findall(r">([\w.]+)</a>", card) == ["b.png", "a.gif"]
    assert "<details><summary>" in card
    assert "```text\n1 < 2\n```" in card


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A repository with one example."""
    for name in ("autograd_core", "nn", "examples"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()  # before the examples of an editable install
    program = '"""One.\n\n    python -m examples.one\n\nText.\n"""\nprint("1 < 2")\n'
    (tmp_path / "examples" / "one.py").write_text(program)
    monkeypatch.setattr(gallery, "ROOT", tmp_path)
    monkeypatch.setattr(gallery, "GROUPS", {"All": ["one"]})
    monkeypatch.setattr(gallery, "NOT_RUN", {})
    return tmp_path / "examples" / "one.py"


def test_only_what_has_changed_is_run(small, tmp_path, capsys):
    folder = tmp_path / "gallery"
    (folder / "files" / "gallery" / "removed").mkdir(parents=True)
    gallery.write(folder)
    assert capsys.readouterr().out.startswith("gallery: one, ")
    text = (folder / "cards.md").read_text()
    assert "- **One** ([one.py](../examples/one.py))" in text
    assert "  ```text\n  1 < 2\n  ```" in text
    assert not (folder / "files" / "gallery" / "removed").exists()
    gallery.write(folder)
    assert not capsys.readouterr().out
    later = (folder / "files" / "gallery" / "one" / gallery.STAMP).stat().st_mtime + 1
    os.utime(small, (later, later))
    gallery.write(folder)
    assert capsys.readouterr().out


def test_a_failure_is_an_error_with_what_was_printed(small, tmp_path):
    small.write_text(small.read_text() + "raise ValueError('no')\n")
    with pytest.raises(RuntimeError, match=r"(?s)examples\.one --quick failed:\n.*ValueError: no"):
        gallery.write(tmp_path / "gallery")
    assert not (tmp_path / "gallery" / "cards.md").exists()
