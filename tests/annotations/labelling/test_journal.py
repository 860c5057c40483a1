import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from annotations.errors import InputError
from annotations.labelling.journal import ConflictError, Journal
from annotations.labelling.record import Change, DrawnBox, ImageLabels

BOX = DrawnBox(part="window", x1=0.1, y1=0.2, x2=0.3, y2=0.4)


def change(image: str, revision: int, **more: object) -> Change:
    labels = ImageLabels(image=image, boxes=(BOX,))
    return Change(labels=labels, revision=revision, at=datetime.now().astimezone(), **more)


def test_what_was_added_is_read_again(tmp_path: Path) -> None:
    first, second = change("a", 1, by="anna"), change("b", 1)
    Journal(tmp_path).add(first)
    journal = Journal(tmp_path)
    journal.add(second)
    assert Journal(tmp_path).latest("a") == first
    assert [each.labels.image for each in Journal(tmp_path).all_latest()] == ["a", "b"]


def test_history_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(change("a", 1))
    journal.add(change("a", 2))
    assert [each.revision for each in Journal(tmp_path).history("a")] == [1, 2]


def test_a_change_that_follows_an_old_revision_is_refused(tmp_path: Path) -> None:
    one, two = Journal(tmp_path), Journal(tmp_path)
    one.add(change("a", 1, by="anna"))
    with pytest.raises(ConflictError, match="anna changed 'a'") as refused:
        two.add(change("a", 1, by="ben"))
    assert refused.value.theirs.by == "anna"
    assert len(Journal(tmp_path).history("a")) == 1


def test_layers_do_not_meet(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(change("a", 1))
    journal.add(change("a", 1, layer="ben"))
    assert journal.layers == ["", "ben"]
    assert len(list(journal.all_latest("ben"))) == 1


def test_half_a_line_is_left_out_and_closed(tmp_path: Path) -> None:
    Journal(tmp_path).add(change("a", 1))
    path = tmp_path / "journal.jsonl"
    with path.open("ab") as file:
        file.write(b'{"labels":{"image":"b"')
    journal = Journal(tmp_path)
    assert journal.latest("b") is None and not journal.damaged  # it may still be written
    journal.add(change("c", 1))
    again = Journal(tmp_path)
    assert again.latest("c") is not None and again.latest("a") is not None
    assert len(again.damaged) == 1 and "line 2" in again.damaged[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"not json\n", "line 1"),
        (b"\xff\xfe\n", "line 1"),
        (b'{"labels": {"image": "b"}, "revision": 0, "at": "2026-01-01T00:00:00Z"}\n', "revision"),
    ],
)
def test_damaged_lines_are_named_and_the_rest_is_read(
    tmp_path: Path, line: bytes, words: str
) -> None:
    good = change("a", 1).model_dump_json().encode() + b"\n"
    (tmp_path / "journal.jsonl").write_bytes(line + good)
    journal = Journal(tmp_path)
    assert journal.latest("a") is not None
    assert len(journal.damaged) == 1 and words in journal.damaged[0]


def test_a_journal_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(change("a", 1), change("b", 1))
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="became shorter"):
        journal.refresh()


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.add(change("a", 1))
    before = journal.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        journal.add(change("b", 1))
    assert journal.path.read_bytes() == before
    monkeypatch.undo()
    journal.add(change("b", 1))
    assert Journal(tmp_path).latest("b") is not None


def test_half_a_change_that_a_full_disk_took_is_taken_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(change("a", 1))
    before = journal.path.read_bytes()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 40, usual[1]))
    try:
        with pytest.raises(InputError, match="not saved"):
            journal.add(change("b", 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert journal.path.read_bytes() == before


def test_threads_that_read_and_write_at_once_take_every_line_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    take = Journal._take

    def slowly(self: Journal, file: BinaryIO) -> None:
        take(self, Slow(file))  # type: ignore[arg-type]

    class Slow:
        """A file between whose lines other threads have their turn."""

        def __init__(self, file: BinaryIO) -> None:
            self.fileno, self.seek, self._file = file.fileno, file.seek, file

        def __iter__(self) -> Iterator[bytes]:
            for line in self._file:
                time.sleep(0.002)
                yield line

    monkeypatch.setattr(Journal, "_take", slowly)
    done = threading.Event()
    failed: list[Exception] = []

    def look() -> None:
        while not done.is_set():
            try:
                journal.refresh()
            except InputError as error:
                failed.append(error)
                return

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for number in range(20):
            journal.add(change(f"{number}", 1))
    finally:
        done.set()
        reader.join()
    assert not failed
    assert [len(journal.history(f"{number}")) for number in range(20)] == [1] * 20


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    refused = []

    def write(who: str) -> None:
        journal = Journal(tmp_path)
        for number in range(30):
            try:
                journal.add(change(f"{number}", 1, by=who))
            except ConflictError:
                refused.append(number)

    threads = [threading.Thread(target=write, args=(who,)) for who in ("anna", "ben", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = Journal(tmp_path)
    assert not journal.damaged
    assert len(refused) == 60
    assert all(len(journal.history(f"{number}")) == 1 for number in range(30))


WRITER = """
import sys
from datetime import datetime
from pathlib import Path
from annotations.labelling.journal import Journal
from annotations.labelling.record import Change, ImageLabels
journal = Journal(Path(sys.argv[1]))
number = len(list(journal.all_latest()))
while True:
    labels = ImageLabels(image=str(number))
    journal.add(Change(labels=labels, revision=1, at=datetime.now().astimezone()))
    print(number, flush=True)
    number += 1
"""


def test_a_writer_that_is_killed_has_what_it_said_it_wrote(tmp_path: Path) -> None:
    for pause in (0.0, 0.013, 0.04):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        said = [int(writer.stdout.readline())]
        time.sleep(pause)
        writer.send_signal(signal.SIGKILL)
        said += [int(line) for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        journal = Journal(tmp_path)
        assert not journal.damaged
        assert all(journal.latest(str(number)) is not None for number in said)


def test_lines_are_plain_json(tmp_path: Path) -> None:
    Journal(tmp_path).add(change("a", 1, by="anna"))
    row = json.loads((tmp_path / "journal.jsonl").read_text())
    assert row["labels"]["boxes"][0]["part"] == "window" and row["by"] == "anna"
