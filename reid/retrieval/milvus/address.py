"""Where a Milvus server and a collection of it are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from annotations.errors import InputError

TOKEN = "PARTREID_STORE_TOKEN"
"""The environment variable with what a server wants to see: ``user:password``, or a key."""
PORT = 19530
"""That of a Milvus server, unless told otherwise."""
_SCHEMES = {"milvus": "http", "milvus+tls": "https"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


@dataclass(frozen=True)
class Address:
    """Where a server and a collection of it are.

    Attributes:
        host: its name or number.
        port: of it.
        collection: the collection's name; None for the one that there is.
        tls: whether the connection is encrypted.
    """

    host: str
    port: int = PORT
    collection: str | None = None
    tls: bool = False

    @classmethod
    def parse(cls, words: str) -> Address:
        """Read an address such as ``milvus://host:19530/yard``.

        Args:
            words: ``milvus://`` or, encrypted, ``milvus+tls://``; a host; where need be a port and
                a collection.

        Raises:
            InputError: it is none, or has a password in it.
        """
        how = "write it as milvus://HOST:PORT/COLLECTION, or milvus+tls:// for an encrypted one"
        rest = words.partition("://")[2]
        if "@" in rest:  # not shown again: it may be a password
            raise InputError(
                f"--store: leave user and password out of the address, and set {TOKEN} to "
                "user:password or to a key"
            )
        try:
            parts = urlsplit(words)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise InputError(f"--store {words}: no address of a server; {how}") from None
        name = parts.path.strip("/")
        if parts.scheme not in _SCHEMES or not host or parts.query or parts.fragment:
            raise InputError(f"--store {words}: no address of a server; {how}")
        if name and not _NAME.fullmatch(name):
            raise InputError(
                f"--store {words}: a collection's name has letters, digits and underscores and "
                f"begins with no digit, which '{name}' does not; {how}"
            )
        return cls(host, port or PORT, name or None, parts.scheme == "milvus+tls")

    @property
    def uri(self) -> str:
        """The server's address as pymilvus takes it."""
        return f"{_SCHEMES[self._scheme]}://{self._place}"

    @property
    def named(self) -> str:
        """The collection's name, of an address that has one."""
        assert self.collection is not None
        return self.collection

    def of(self, collection: str) -> Address:
        """Return the address of a collection of this server."""
        return replace(self, collection=collection)

    def __str__(self) -> str:
        place = f"{self._scheme}://{self._place}"
        return place if self.collection is None else f"{place}/{self.collection}"

    @property
    def _scheme(self) -> str:
        return "milvus+tls" if self.tls else "milvus"

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def collection_named(folder: str) -> str:
    """Return what the collection of a gallery's folder is called, unless told otherwise."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", folder)[:255] or "_"
    return f"_{name}"[:255] if name[0].isdigit() else name
