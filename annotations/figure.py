"""A vocabulary's figure: a drawing that shows what each part is, with its meaning in words."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from annotations.svg import safe_svg
from annotations.vocabulary import Vocabulary, vocabulary_file


@dataclass(frozen=True)
class Figure:
    """A drawing to show inside a page.

    In it, groups ``<g data-part="NAME">`` hold the boxes of a part as one would draw them (class
    ``part-box``; also ``derived`` where they follow from others) and the outline of the thing
    itself (``part-thing``). A page stresses a part by giving its groups the class ``active``, and
    colours it by the CSS variable ``--part-colour``, which is the vocabulary's colour at first.

    Attributes:
        svg: the drawing. It is safe inside HTML: nothing in it runs or loads anything. Its
            ``<style>`` is the whole page's, so its rules should be about its own classes.
        meanings: what a part is, in words, by its name in the vocabulary's order: the title of
            its first group. A part without a group that has a title is not there.
    """

    svg: str
    meanings: dict[str, str]


def figure_of(vocabulary: Vocabulary) -> Figure | None:
    """Return the figure that stands beside a vocabulary's file: ``my.svg`` beside ``my.yaml``.

    Args:
        vocabulary: a built-in or a user's own one; groups of parts that it has not are left as
            they are.

    Returns:
        The figure, or None where the vocabulary has none.

    Raises:
        InputError: the drawing is not SVG or not safe to show, see `annotations.svg.safe_svg`.
    """
    path = vocabulary_file(vocabulary.name).with_suffix(".svg")
    if not path.is_file():
        return None
    drawing = safe_svg(path)
    titles: dict[str, str] = {}
    for group in drawing.iter("g"):
        name = group.get("data-part")
        if name is None or name not in vocabulary.names:
            continue
        own = group.get("style", "")
        group.set("style", f"--part-colour:{vocabulary[name].colour};{own}")
        if meaning := " ".join(group.findtext("title", "").split()):
            titles.setdefault(name, meaning)
    meanings = {name: titles[name] for name in vocabulary.names if name in titles}
    return Figure(ElementTree.tostring(drawing, encoding="unicode"), meanings)
