import builtins

import pytest

from annotations.errors import InputError
from reid.retrieval.milvus.address import Address, collection_named
from reid.retrieval.milvus.server import Server


@pytest.mark.parametrize(
    ("words", "uri", "collection", "shown"),
    [
        ("milvus://host", "http://host:19530", None, "milvus://host:19530"),
        ("milvus://host:1/yard_2", "http://host:1", "yard_2", "milvus://host:1/yard_2"),
        ("milvus+tls://host/yard/", "https://host:19530", "yard", "milvus+tls://host:19530/yard"),
        ("milvus://[::1]:5/y", "http://[::1]:5", "y", "milvus://[::1]:5/y"),
    ],
)
def test_addresses(words, uri, collection, shown):
    address = Address.parse(words)
    assert (address.uri, address.collection, str(address)) == (uri, collection, shown)
    assert Address.parse(shown) == address


@pytest.mark.parametrize(
    "words",
    ["yard", "http://host:1", "milvus://", "milvus://host:port", "milvus://host:99999",
     "milvus://host/a/b", "milvus://host/1a", "milvus://host/a-b", "milvus://host/a?b=c",
     "milvus:host", "milvus://ho[st"],
)  # fmt: skip
def test_what_is_no_address(words):
    with pytest.raises(InputError, match=r"--store .*write it as milvus://HOST:PORT/COLLECTION"):
        Address.parse(words)


def test_a_password_in_an_address_is_not_shown():
    with pytest.raises(InputError, match="set PARTREID_STORE_TOKEN") as caught:
        Address.parse("milvus://root:secret@host/yard")
    assert "secret" not in str(caught.value)


def test_collections_are_called_as_folders():
    assert collection_named("yard") == "yard"
    assert collection_named("2. Höfe-west") == "_2__H_fe_west"
    assert len(collection_named("9" * 400)) == 255


def test_without_pymilvus(monkeypatch):
    real = builtins.__import__

    def lacking(name, *rest, **more):
        if name == "pymilvus":
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(InputError, match=r"needs pymilvus; install 'partreid\[milvus\]'"):
        Server(Address.parse("milvus://host"))
