"""SVG from a file, made safe to stand inside a page."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from annotations.errors import InputError
from annotations.files import read_text

_SVG = "http://www.w3.org/2000/svg"

ELEMENTS = frozenset([
    "svg", "g", "defs", "symbol", "use", "title", "desc", "style", "path", "rect", "circle",
    "ellipse", "line", "polyline", "polygon", "text", "tspan", "clipPath", "mask",
    "linearGradient", "radialGradient", "stop", "pattern", "marker",
])  # fmt: skip
"""What a drawing may be made of. Nothing in it runs, moves, or loads."""

_TEXT_ALONE = ("title", "desc", "style")

# A backslash can spell any of the others in CSS.
_LOADS = re.compile(r"\\|@import|(?:url|src)\((?!\s*['\"]?#)|image(?:-set)?\(|javascript:", re.I)


def safe_svg(path: Path) -> ElementTree.Element:
    """Read an SVG file and demand that nothing in it runs or loads anything.

    What comes back is written anew from what was checked, since a page's HTML parser does not
    read comments, CDATA and namespaces as an XML parser does, and could find in them what was
    not there for us.

    Args:
        path: the file.

    Returns:
        The drawing, its tags and attributes without namespaces; comments, processing
        instructions and attributes of editors are left out.

    Raises:
        InputError: the file cannot be read, is not SVG, or holds an element that is not among
            `ELEMENTS`, an event attribute, or a reference to anything outside it.
    """
    text = read_text(path)
    if "<!DOCTYPE" in text:
        raise InputError(f"{path}: has a DOCTYPE, which could hide anything; remove it")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: not XML: {error}") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise InputError(f'{path}: not SVG; it must begin with <svg xmlns="{_SVG}">')
    drawing = _checked(root, path)
    drawing.set("xmlns", _SVG)
    return drawing


def _checked(element: ElementTree.Element, path: Path) -> ElementTree.Element:
    namespace, _, tag = element.tag.rpartition("}")
    if namespace != f"{{{_SVG}" or tag not in ELEMENTS:
        raise InputError(
            f"{path}: <{tag}> has no place in a figure; keep shapes, groups, gradients and text "
            "(in Inkscape, save as plain SVG)"
        )
    if tag in _TEXT_ALONE and len(element):
        raise InputError(f"{path}: <{tag}> must hold text alone")
    if tag == "style":
        _loads_nothing(element.text or "", "<style>", path)
    copy = ElementTree.Element(tag)
    copy.text, copy.tail = element.text, element.tail
    for key, value in element.attrib.items():
        name = key.rpartition("}")[2]
        if name == key or name == "href":
            _check_attribute(name, value, path)
            copy.set(name, value)
    for child in element:
        copy.append(_checked(child, path))
    return copy


def _check_attribute(name: str, value: str, path: Path) -> None:
    if name.lower().startswith("on"):
        raise InputError(f"{path}: the attribute '{name}' runs a script; remove it")
    if name.lower() in ("href", "src") and not value.startswith("#"):
        raise InputError(f"{path}: {name}='{value}' is outside the file; refer to a #name in it")
    _loads_nothing(value, f"the attribute '{name}'", path)


def _loads_nothing(css: str, where: str, path: Path) -> None:
    if found := _LOADS.search(css):
        raise InputError(
            f"{path}: {where} has '{found.group()}', which could load something; remove it"
        )
