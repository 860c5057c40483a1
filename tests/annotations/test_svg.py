from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.errors import InputError
from annotations.svg import ELEMENTS, safe_svg

START = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def _file(folder: Path, inside: str, start: str = START + ">") -> Path:
    path = folder / "mine.svg"
    path.write_text(f"{start}{inside}</svg>", "utf-8")
    return path


class _Tags(HTMLParser):
    """What a page's parser sees, which is not an XML parser."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    handle_startendtag = handle_starttag


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("<g>", "not XML"),
        ("<script>alert(1)</script>", "<script>"),
        ('<x:script xmlns:x="http://www.w3.org/2000/svg"/>', "<script>"),
        ('<script xmlns="urn:other"/>', "<script>"),
        ('<img xmlns="http://www.w3.org/1999/xhtml" src="#a"/>', "<img>"),
        ('<path xmlns="urn:other"/>', "<path>"),
        ("<foreignObject/>", "<foreignObject>"),
        ('<image href="#a"/>', "<image>"),
        ('<a href="#a"/>', "<a>"),
        ('<animate attributeName="href" to="javascript:alert(1)"/>', "<animate>"),
        ('<set attributeName="onload" to="alert(1)"/>', "<set>"),
        ('<g onclick="alert(1)"/>', "'onclick' runs a script"),
        ('<g OnLoad="alert(1)"/>', "'OnLoad' runs a script"),
        ('<use href="other.svg#a"/>', "href='other.svg#a' is outside"),
        ('<use xlink:href="https://example.org/a.svg#a"/>', "is outside"),
        ('<use href="data:image/svg+xml,x"/>', "is outside"),
        ('<g style="fill:url(https://example.org/a)"/>', r"'style' has 'url\('"),
        ("<g fill=\"URL( '//example.org/a')\"/>", r"'fill' has 'URL\('"),
        ('<g style="fill:u\\72l(//example.org)"/>', r"'style' has"),
        ("<style>@import 'a.css';</style>", "<style> has '@import'"),
        ("<style>g{fill:u&#114;l(a)}</style>", r"<style> has 'url\('"),
        ("<style>g{background:image-set('a' 1x)}</style>", "<style> has 'image-set"),
        ("<style>g{fill:red}<g/></style>", "<style> must hold text alone"),
        ("<title>a<g/></title>", "<title> must hold text alone"),
    ],
)
def test_what_runs_or_loads_is_refused(tmp_path: Path, inside: str, message: str) -> None:
    with pytest.raises(InputError, match=f"mine.svg: .*{message}"):
        safe_svg(_file(tmp_path, inside))


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("<!DOCTYPE svg [<!ENTITY a 'b'>]>" + START + ">", "DOCTYPE"),
        (START + ' onload="alert(1)">', "'onload' runs a script"),
        ("<svg>", "not SVG"),
        ('<svg xmlns="http://www.w3.org/1999/xhtml">', "not SVG"),
    ],
)
def test_root_is_checked_too(tmp_path: Path, start: str, message: str) -> None:
    with pytest.raises(InputError, match=f"mine.svg: .*{message}"):
        safe_svg(_file(tmp_path, "", start))


@pytest.mark.parametrize(
    "inside",
    [
        "<!--> <img src='x'> -->",
        "<?x > <img src='x'> ?>",
        "<title><![CDATA[<img src='x'>]]></title>",
        "<style><![CDATA[g{} <img src='x'>]]></style>",
        "<text>&lt;img src='x'&gt;</text>",
        "<g aria-label=\"&quot;&gt;&lt;img src='x'&gt;\"/>",
    ],
)
def test_pages_parser_finds_nothing_that_xml_hid(tmp_path: Path, inside: str) -> None:
    written = ElementTree.tostring(safe_svg(_file(tmp_path, inside)), encoding="unicode")
    assert _Tags(written).seen <= {name.lower() for name in ELEMENTS}


def test_drawing_is_kept(tmp_path: Path) -> None:
    inside = (
        '<defs><path id="a" d="M0 0h1"/></defs><g fill="url(#a)" style="stroke: url( \'#a\' )">'
        '<use xlink:href="#a" xml:space="preserve"/><text>one <tspan>two</tspan> three</text></g>'
    )
    drawing = safe_svg(_file(tmp_path, inside))
    assert [each.tag for each in drawing.iter()] == [
        "svg", "defs", "path", "g", "use", "text", "tspan",
    ]  # fmt: skip
    assert drawing.find(".//use").attrib == {"href": "#a"}  # type: ignore[union-attr]
    assert "".join(drawing.itertext()) == "one two three"
    assert drawing.find("g").get("style") == "stroke: url( '#a' )"  # type: ignore[union-attr]


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=20)


@settings(max_examples=40)
@given(words=_WORDS, label=_WORDS.filter(lambda text: "\\" not in text and "(" not in text))
def test_written_anew_it_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, words: str, label: str
) -> None:
    folder = tmp_path_factory.mktemp("svg")
    quoted = escape(label, {'"': "&quot;"})
    inside = f'<g aria-label="{quoted}"><title>{escape(words)}</title></g>'
    once = safe_svg(_file(folder, inside))
    text = ElementTree.tostring(once, encoding="unicode")
    (folder / "mine.svg").write_text(text, "utf-8")
    again = safe_svg(folder / "mine.svg")
    assert ElementTree.tostring(again, encoding="unicode") == text
    assert again.findtext("g/title") == words
    assert again.find("g").get("aria-label") == label  # type: ignore[union-attr]
