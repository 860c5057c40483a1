"""How a gallery lies in a Milvus collection: which field holds which column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from annotations.errors import InputError, explain
from annotations.images import COLUMNS
from reid.retrieval.about import GalleryAbout
from reid.retrieval.gallery import Gallery
from reid.retrieval.milvus.address import Address
from reid.retrieval.milvus.server import Server
from reid.retrieval.results import SHOWN
from reid.retrieval.segment import FILE_COLUMNS, kind_of

Kind = Literal["text", "whole", "number"]
"""What a column holds: text, whole numbers, or fractions."""

KEY, VECTOR, GALLERY, ROOT = "file_key", "file_vector", "file_gallery", "file_root"
"""Fields besides the table's columns, none of which begins so: the image's number, which
`reid.retrieval.milvus.keys` makes, its embedding, the gallery that it is of, and the folder that
its path starts from (empty for one that starts from the top)."""
MOST_TEXT = 65_535
"""Bytes of a text field, as many as Milvus allows."""
_PROPERTY = "partreid.gallery"
_MOST_FIELDS = 64
_NUMBERS: dict[str, Kind] = {"number": "number", "integer": "whole"}
_KNOWN: dict[str, Kind] = {each.name: _NUMBERS.get(each.kind, "text") for each in COLUMNS}


class Field(BaseModel):
    """Where a column of an images table is.

    Attributes:
        name: of the field.
        kind: what it holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Kind


class Layout(BaseModel):
    """What a collection holds; it is kept in a property of the collection.

    Attributes:
        format: of the collection.
        about: what made the embeddings.
        dimension: of these.
        columns: where each column of the images' table is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    about: GalleryAbout
    dimension: PositiveInt
    columns: dict[str, Field]

    @classmethod
    def of(cls, gallery: Gallery) -> Layout:
        """Return the layout of a new collection for a gallery.

        Columns that results show have a place even where the gallery has none of them yet: the
        fields of a collection stay as they are.

        Raises:
            InputError: the gallery has more columns than a collection has fields.
        """
        kinds = {name: _KNOWN[name] for name in ("image", *SHOWN)} | kinds_of(gallery)
        most = _MOST_FIELDS - len((KEY, VECTOR, GALLERY, ROOT))
        if len(kinds) > most:
            raise InputError(
                f"{gallery.path}: has {len(kinds)} columns, where a Milvus collection has a place "
                f"for {most}; make the gallery of a table with fewer"
            )
        fields: dict[str, Field] = {}
        taken = set(_KNOWN)
        for name, kind in kinds.items():
            fields[name] = Field(name=_field(name, taken), kind=kind)
            taken.add(fields[name].name)
        return cls(about=gallery.about, dimension=gallery.manifest.dimension, columns=fields)

    @classmethod
    def read(cls, server: Server, address: Address) -> Layout:
        """Read the layout of a collection.

        Raises:
            InputError: there is no such collection, or it was not made here.
        """
        names = server.collections()
        if address.named not in names:
            there = f"there are: {', '.join(names)}" if names else "there is none at all"
            raise InputError(
                f"{address}: no such collection; {there}; make it with 'partreid gallery publish "
                f"GALLERY --store {address}'"
            )
        found = cls.found(server, address.named)
        if found is None:
            raise InputError(
                f"{address}: was not made by 'partreid gallery publish'; choose another collection"
            )
        return found

    @classmethod
    def found(cls, server: Server, collection: str) -> Layout | None:
        """Return the layout of a collection that there is; None where it was not made here.

        Raises:
            InputError: it is of another version.
        """
        described = server.ask("describe_collection", collection)
        words = described.get("properties", {}).get(_PROPERTY)
        if words is None:
            return None
        try:
            return cls.model_validate_json(words)
        except ValidationError as error:
            raise InputError(
                f"{server.address.of(collection)}: was made by another version ({explain(error)}); "
                "publish into another collection"
            ) from None

    @property
    def properties(self) -> dict[str, str]:
        """What is kept with the collection."""
        return {_PROPERTY: self.model_dump_json()}

    def left_out(self, kinds: Mapping[str, Kind], address: Address) -> list[str]:
        """Return the columns of a gallery that have no place in the collection.

        Args:
            kinds: what each holds, as `kinds_of` tells.
            address: of the collection.

        Raises:
            InputError: a column holds something else than it did.
        """
        for name, kind in kinds.items():
            field = self.columns.get(name)
            if field is not None and not _fits(kind, field.kind):
                raise InputError(
                    f"{address}: column '{name}' holds {field.kind} there, and {kind} in the "
                    "gallery now; publish into another collection"
                )
        return [name for name in kinds if name not in self.columns]

    def new_schema(self, server: Server) -> Any:
        """Return the collection's schema."""
        from pymilvus import DataType

        types = {"text": DataType.VARCHAR, "whole": DataType.INT64, "number": DataType.DOUBLE}
        schema = server.schema()
        schema.add_field(KEY, DataType.INT64, is_primary=True)
        schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=self.dimension)
        for name in (GALLERY, ROOT):
            schema.add_field(name, DataType.VARCHAR, max_length=MOST_TEXT)
        for field in self.columns.values():
            how = {"max_length": MOST_TEXT} if field.kind == "text" else {}
            schema.add_field(field.name, types[field.kind], nullable=True, **how)
        return schema


def kinds_of(gallery: Gallery) -> dict[str, Kind]:
    """Return what each column of a gallery's tables holds; one without any value is left out."""
    tables = [segment.table for segment in gallery.segments]
    kinds: dict[str, Kind] = {}
    for name in dict.fromkeys(name for table in tables for name in table.column_names):
        mine = [table for table in tables if name in table.column_names]
        empty = all(pa.types.is_null(table.schema.field(name).type) for table in mine)
        if name not in FILE_COLUMNS and not empty:
            kinds[name] = _kind(kind_of(mine, name))
    return kinds


def _kind(column: pa.DataType) -> Kind:
    if pa.types.is_integer(column):
        return "whole"
    return "number" if pa.types.is_floating(column) else "text"


def _fits(kind: Kind, field: Kind) -> bool:
    """Return whether a field has a place for what a column holds; text has one for everything."""
    return field in ("text", kind) or (kind, field) == ("whole", "number")


def _field(column: str, taken: set[str]) -> str:
    """Return a field's name: letters and digits that are no word of the filter language."""
    if column in _KNOWN:
        return column
    name = f"own_{re.sub(r'[^A-Za-z0-9_]', '_', column)}"[:200]
    number = 1
    while (numbered := name if number == 1 else f"{name}_{number}") in taken:
        number += 1
    return numbered
