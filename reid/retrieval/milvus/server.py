"""A connection to a Milvus server, whose errors are a person's to understand."""

from __future__ import annotations

import logging
import os
from typing import Any

from annotations.errors import InputError
from reid.retrieval.milvus.address import TOKEN, Address

_CONNECT = 5.0
"""Seconds that a server has to answer at all."""
_ANSWER = 120.0
"""Seconds that it has for one request."""
_DAY = 86_400.0
"""Seconds that an index of many images may take to build, or to be read into memory."""


class Server:
    """A Milvus server; pymilvus is imported where one is connected to.

    Args:
        address: where it is.

    Raises:
        InputError: pymilvus is not installed, or the server does not answer.
    """

    def __init__(self, address: Address) -> None:
        try:
            import pymilvus
        except ImportError:
            raise InputError(
                f"{address}: searching on Milvus needs pymilvus; install 'partreid[milvus]'"
            ) from None
        # It prints each error with a traceback before it raises it.
        for name in ("pymilvus", "pymilvus.milvus_client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.address = address
        self._known = pymilvus.MilvusException
        token = os.environ.get(TOKEN, "")
        try:
            self._client = pymilvus.MilvusClient(uri=address.uri, token=token, timeout=_CONNECT)
        except self._known as error:
            raise InputError(f"{address}: no Milvus server answers ({_line(error)})") from None

    def ask(self, what: str, /, *given: Any, seconds: float = _ANSWER, **named: Any) -> Any:
        """Call a method of ``pymilvus.MilvusClient``.

        Args:
            what: its name.
            given: its arguments.
            seconds: that it may take.
            named: its arguments.

        Raises:
            InputError: what the server says against it, or that it does not answer.
        """
        try:
            return getattr(self._client, what)(*given, timeout=seconds, **named)
        except self._known as error:
            raise InputError(f"{self.address}: {what}: {_line(error)}") from None

    def collections(self) -> list[str]:
        """Return the names of the collections that there are."""
        try:
            return sorted(self._client.list_collections())
        except self._known as error:
            raise InputError(f"{self.address}: {_line(error)}") from None

    def pages(self, collection: str, expression: str, fields: list[str], size: int) -> Any:
        """Yield lists of all entities (dictionaries) that fulfil an expression, page by page."""
        named = {"filter": expression, "output_fields": fields, "batch_size": size}
        try:
            pages = self._client.query_iterator(collection, timeout=_ANSWER, **named)
            while page := pages.next():
                yield page
            pages.close()
        except self._known as error:
            raise InputError(f"{self.address}: query: {_line(error)}") from None

    def index(self, collection: str, field: str) -> str:
        """Return the kind of a field's index, such as FLAT; empty where it has none."""
        try:
            for name in self._client.list_indexes(collection, field):
                return str(self._client.describe_index(collection, name)["index_type"])
        except self._known as error:
            raise InputError(f"{self.address}: {_line(error)}") from None
        return ""

    def build_index(self, collection: str, field: str, kind: str, metric: str, how: Any) -> None:
        """Make an index of a field, and wait until it is there."""
        indices = self._client.prepare_index_params()
        indices.add_index(field, index_type=kind, metric_type=metric, params=how)
        self.ask("create_index", collection, indices, seconds=_DAY)

    def schema(self) -> Any:
        """Return the beginnings of a collection's schema."""
        return self._client.create_schema(auto_id=False, enable_dynamic_field=False)

    def load(self, collection: str) -> None:
        """See that a collection is in the server's memory, where it can be searched."""
        if self.ask("get_load_state", collection)["state"].name != "Loaded":
            self.ask("load_collection", collection, seconds=_DAY)


def _line(error: Any) -> str:
    """Return the first line of what a server says."""
    return str(error.message).strip().partition("\n")[0]
