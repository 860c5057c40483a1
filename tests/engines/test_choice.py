"""The fastest engine is taken among those that agree with single precision, and remembered."""

import time
from contextlib import contextmanager

import pytest
import torch

from engines.choice import (
    ENGINES,
    PARITY,
    SINGLE,
    TORCH,
    Memory,
    Tried,
    candidates,
    fastest,
    measure,
)

CPU = torch.device("cpu")


class Fake:
    def __init__(self, name: str, why: str | None = None) -> None:
        self.name, self.why = name, why

    def lacks(self, device: torch.device) -> str | None:
        return self.why


def test_the_fastest_that_agrees_is_taken(monkeypatch):
    for name in ("quick", "wrong", "broken", "absent"):
        why = "is not here" if name == "absent" else None
        monkeypatch.setitem(ENGINES, name, Fake(name, why))
    exact = torch.randn(6, 16)

    @contextmanager
    def using(name):
        if name == "broken":
            raise RuntimeError("no such operator\nand more")

        def compute():
            time.sleep({"quick": 0.002, "wrong": 0.0}.get(name, 0.02))
            if name != "wrong":
                return exact
            bad = exact.clone()
            bad[3] = bad[3].flip(0)  # one image of six
            return bad

        yield compute

    tried = {
        one.name: one
        for one in measure([TORCH, "quick", "wrong", "broken", "absent"], using, exact, CPU)
    }
    assert fastest(tried.values()) == "quick"
    assert tried["wrong"].rate > tried["quick"].rate
    assert tried["wrong"].agreement < PARITY
    assert str(PARITY) in tried["wrong"].why
    assert tried["broken"].why == "RuntimeError: no such operator"
    assert tried["absent"].why == "is not here"
    assert fastest([tried["wrong"], tried["broken"]]) == TORCH


def test_few_images_are_worth_no_search_and_some_no_compiler():
    assert candidates(10) == [TORCH]
    assert candidates(5_000) == [TORCH, SINGLE, "openvino", "onnx"]
    assert candidates(50_000) == [TORCH, SINGLE, "openvino", "onnx", "compile"]


def test_what_was_measured_is_remembered_for_the_same_work_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PARTREID_CACHE", str(tmp_path))
    tried = [Tried(TORCH, 10.0, 1.0, 0.1), Tried("onnx", why="is not installed")]
    about = {"model": "a", "batch": 32}
    Memory(about, CPU).keep(tried)
    assert Memory(about, CPU).recall() == tried[:1]  # why one could not be had may change
    assert Memory({**about, "batch": 16}, CPU).recall() == []
    monkeypatch.setattr("engines.choice._version", lambda package: f"{package} 99")
    assert Memory(about, CPU).recall() == []


@pytest.mark.parametrize("content", ["", "[1, 2]", '[{"name": "x", "speed": 1}]'])
def test_a_damaged_memory_is_none(tmp_path, monkeypatch, content):
    monkeypatch.setenv("PARTREID_CACHE", str(tmp_path))
    memory = Memory({"model": "a"}, CPU)
    memory.keep([Tried(TORCH, 1.0, 1.0)])
    (path,) = tmp_path.rglob("*.json")
    path.write_text(content)
    assert memory.recall() == []


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PARTREID_CACHE", str(tmp_path / "file"))
    Memory({"model": "a"}, CPU).keep([Tried(TORCH, 1.0, 1.0)])
