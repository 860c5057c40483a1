"""Reading and writing XML with the standard library, and nothing but what is in the file."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from annotations.errors import InputError


class _Plain(ElementTree.TreeBuilder):
    """A tree of elements; a document type, the only way to define entities, is refused."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise InputError("it has a <!DOCTYPE>, which label files do not need; remove that line")


def parse_xml(file: Path) -> ElementTree.Element:
    """Parse an XML file that defines no entities, neither its own nor of other files.

    Raises:
        InputError: the file cannot be read, is not XML, which names line and column, or has
            a document type.
    """
    try:
        return ElementTree.parse(file, ElementTree.XMLParser(target=_Plain())).getroot()
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise InputError(f"{file}: not XML: {error}") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None


def add(
    parent: ElementTree.Element, tag: str, text: object = "", **attributes: str
) -> ElementTree.Element:
    """Append an element with a text and attributes."""
    child = ElementTree.SubElement(parent, tag, attributes)
    child.text = str(text) or None
    return child


def xml_text(root: ElementTree.Element) -> str:
    """Return the tree as text, indented, with a declaration."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'
