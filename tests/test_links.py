"""The check of the site's links finds links that lead nowhere."""

import pytest

from tools import links

INDEX = """<a href="other.html#there">1</a> <a href="other.html">2</a> <a href="#here">3</a>
<img src="picture%20one.svg"> <a href="https://example.org/none">4</a> <p id="here">"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "other.html").write_text('<h1 id="there">Other</h1>')
    (tmp_path / "picture one.svg").write_text("<svg/>")
    return tmp_path


def test_a_site_without_dead_links(site, capsys):
    assert links.main(str(site)) == 0
    assert capsys.readouterr().out == "2 pages, 0 links that lead nowhere\n"


@pytest.mark.parametrize(
    "link", ["missing.html", "other.html#missing", "#missing", "../outside.html"]
)
def test_a_dead_link_is_named(site, capsys, link):
    (site / "third.html").write_text(f'<a href="{link}">x</a>')
    assert links.main(str(site)) == 1
    assert f"third.html: {link}\n" in capsys.readouterr().out


def test_an_empty_folder_is_no_site(tmp_path):
    assert links.main(str(tmp_path)) == 1
