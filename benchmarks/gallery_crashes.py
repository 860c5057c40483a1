"""What is left of a gallery whose writer is killed, or whose disk is full.

    python -m benchmarks.gallery_crashes DATA FOLDER --run RUN [kills] [disk] [--kills 50]

- kills: `partreid gallery add` of DATA by the network RUN, with thumbnails, ended by SIGKILL at
  random moments: while it looks at the files, while it embeds, and while it writes a piece. After
  each the gallery is opened, every byte is compared with its checksum, every image that an earlier
  state had must still be there, and every row must be the one of a gallery that was built in one
  go: table, embedding, thumbnail. The same command then goes on; where it comes to its end before
  all kills are done, another gallery is begun.
- disk: the same command into a file system (tmpfs, so this part needs root) that is too small. Each
  time it stops the message is kept, the gallery is looked at as above, and the disk grows a little,
  until the command comes to its end.

Writers are forked from a process that has imported everything, so that a kill hits work and not
imports. A CSV with a line for each kill, or full disk, is written to FOLDER.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import rich

from annotations.errors import InputError
from pipelines.jobs.keeping import verify
from pipelines.tables import console
from reid.retrieval.gallery import Gallery
from reid.retrieval.lock import LOCK
from reid.retrieval.manifest import MANIFEST, Manifest, is_gallery
from reid.retrieval.writer import SEGMENTS

_TOLERANCE = 2e-3
"""Of one number of an embedding of length one: a batch of other images, and half precision."""
_STAGES = ("ready", "looking", "embedding")
_END = "end"
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["pipelines.jobs.adding", "reid.methods", "timm", "faiss"])


@dataclass(frozen=True)
class Job:
    """What a writer is to do.

    Attributes:
        data: the data set.
        gallery: where to add it.
        run: whose network embeds.
        chunk: images that are committed together.
        log: where it prints to.
    """

    data: Path
    gallery: Path
    run: Path
    chunk: int
    log: Path


@dataclass(frozen=True)
class Seen:
    """What was found after a writer had ended.

    Attributes:
        after: how it ended: the stage of a kill, ``writing``, ``full`` or ``end``.
        seconds: that it ran.
        before: images in the gallery before.
        images: now.
        segments: likewise.
        unnamed: folders of what was being written, which belong to nothing.
        farthest: the largest difference of one number of an embedding to the reference's.
        same: share of embeddings that are the reference's in every bit.
        message: what it said, where it ended by itself.
    """

    after: str
    seconds: float
    before: int
    images: int
    segments: int
    unnamed: int
    farthest: float
    same: float
    message: str = ""


def write(job: Job, tell: Connection) -> None:
    """Add the data to the gallery; tell of each stage when it begins, and at last how it ended."""
    with job.log.open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    from pipelines.jobs import adding, embedders, growing

    for stage, room, name in (
        ("looking", growing, "find_changes"), ("embedding", embedders, "embed"),
    ):  # fmt: skip
        vars(room)[name] = _telling(tell, stage, vars(room)[name])
    tell.send("ready")
    try:
        adding.add(
            job.gallery, [job.data], job.run, thumbnails=True, device="cpu", chunk=job.chunk,
        )  # fmt: skip
    except InputError as error:
        tell.send(f"refused: {error}")
    except BaseException as error:
        tell.send(f"broke: {type(error).__name__}: {error}")
    else:
        tell.send(_END)


def _telling(tell: Connection, stage: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operation that tells when it is begun for the first time."""
    waiting = [stage]

    def told(*given: object, **more: object) -> object:
        while waiting:
            tell.send(waiting.pop())
        return operation(*given, **more)

    return told


class Reference:
    """A gallery that was built in one go, to compare others with.

    Args:
        gallery: it.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._table = self._told(gallery).set_index("file", drop=False)

    def __len__(self) -> int:
        return len(self._table)

    def compare(self, gallery: Gallery, before: frozenset[str]) -> tuple[float, float, set[str]]:
        """Demand that what a gallery holds is part of the reference, whole.

        Args:
            gallery: what is looked at.
            before: the files that an earlier state had.

        Returns:
            The largest difference of one number, the share of embeddings that are the same in
            every bit, and the files.
        """
        mine = self._told(gallery)
        files = set(mine["file"])
        _require(mine["file"].is_unique, "an image is there twice")
        _require(before <= files, f"{len(before - files)} images of an earlier state are lost")
        _require(files <= set(self._table.index), "an image is there that never was")
        theirs = self._table.loc[mine["file"]]
        columns = [name for name in theirs if name != "row"]
        pd.testing.assert_frame_equal(
            mine[columns].reset_index(drop=True), theirs[columns].reset_index(drop=True)
        )
        pairs = mine["row"].to_numpy(), theirs["row"].to_numpy()
        farthest, same = 0.0, 0
        for start in range(0, len(mine), 2**16):
            some = slice(start, start + 2**16)
            one, other = gallery.vectors(pairs[0][some]), self._gallery.vectors(pairs[1][some])
            farthest = max(farthest, float(np.abs(one - other).max()))
            same += int((one == other).all(1).sum())
            small = gallery.thumbnails(pairs[0][some])
            _require(small == self._gallery.thumbnails(pairs[1][some]), "a thumbnail differs")
        _require(farthest < _TOLERANCE, f"an embedding is off by {farthest:g}")
        return farthest, same / len(mine), files

    @staticmethod
    def _told(gallery: Gallery) -> pd.DataFrame:
        """Return all that the tables say, with ``row``."""
        frame = gallery.table(gallery.rows)
        stored = pd.concat([segment.table.to_pandas() for segment in gallery.segments])
        for name in ("file_size", "file_time", "file_content"):
            frame[name] = stored[name].to_numpy()[gallery.rows]
        return frame.assign(row=gallery.rows)


class Crashes:
    """One gallery after another that is written and looked at.

    Args:
        job: what writers do.
        reference: what is to come of it.
    """

    def __init__(self, job: Job, reference: Reference) -> None:
        self.job = job
        self.reference = reference
        self.seen: list[Seen] = []
        self._files: frozenset[str] = frozenset()

    def kill(self, stage: str, delay: float, pieces: int = 0) -> bool:
        """Run a writer, kill it and look; return whether it came to its end before.

        Args:
            stage: ``ready``, ``looking`` or ``embedding``: what it is to have begun.
            delay: seconds after that at which it is killed.
            pieces: so many folders are to have appeared since, each with a piece in the writing.
        """
        process, told = started(self.job)
        start = time.perf_counter()
        reached = "ready"
        while reached not in (stage, _END):
            reached = _next(told)
        for _ in range(pieces):
            _wait_for_folder(self.job.gallery / SEGMENTS, told)
        until = time.perf_counter() + delay
        while reached != _END and told.poll(max(0, until - time.perf_counter())):
            reached = _next(told)
        process.kill()
        process.join()
        after = reached if reached == _END else "writing" if pieces else stage
        self._look(after, time.perf_counter() - start)
        return reached == _END

    def finish(self) -> str:
        """Run a writer to where it ends by itself, look, and return how it ended."""
        process, told = started(self.job)
        start = time.perf_counter()
        message = ended(told)
        process.join()
        self._look(_END if message == _END else "full", time.perf_counter() - start, message)
        return message

    def anew(self) -> None:
        """Demand that the gallery is the reference, whole and without leavings; remove it."""
        _require(len(self._files) == len(self.reference), "the gallery at the end lacks images")
        folder = self.job.gallery
        named = {file.name for file in Manifest.read(folder).files}
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        left = there - named - {MANIFEST, LOCK, "unreadable.csv"}
        _require(not left, f"files are left that belong to nothing: {sorted(left)[:3]}")
        shutil.rmtree(folder)
        self._files = frozenset()

    def _look(self, after: str, seconds: float, message: str = "") -> None:
        folder = self.job.gallery
        before = len(self._files)
        if not is_gallery(folder):
            _require(not before, "the gallery is gone")
            unnamed = len(list((folder / SEGMENTS).glob("*")))
            self.seen.append(Seen(after, seconds, 0, 0, 0, unnamed, 0.0, 1.0, message))
            return
        verify(folder)
        gallery = Gallery.open(folder)
        farthest, same, files = self.reference.compare(gallery, self._files)
        self._files = frozenset(files)
        named = {Path(file.name).parent.name for file in gallery.manifest.files}
        there = {path.name for path in (folder / SEGMENTS).iterdir()}
        asked = gallery.vectors(gallery.rows[:1])
        found = gallery.search(asked, 1)[1][0, 0]
        _require(
            bool((gallery.vectors(np.array([found])) == asked).all()), "is not found by itself"
        )
        self.seen.append(
            Seen(
                after, seconds, before, len(files), len(gallery.segments), len(there - named),
                farthest, same, message,
            )
        )  # fmt: skip


def started(job: Job) -> tuple[Any, Connection]:
    """Start a writer; return it and where it tells how it ended, once it has begun to work."""
    told, tell = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=write, args=(job, tell))
    process.start()
    tell.close()
    _require(told.recv() == "ready", "a writer did not begin")
    return process, told


def ended(told: Connection) -> str:
    """Return how a writer ended."""
    while (message := str(told.recv())) in _STAGES:
        continue
    return message


def _next(told: Connection) -> str:
    """Return the next stage, or that the end is reached."""
    message = str(told.recv())
    _require(message in (*_STAGES, _END), f"a writer broke: {message}")
    return message


def _wait_for_folder(segments: Path, told: Connection) -> None:
    """Wait until a new folder is in ``segments``, or the writer has ended."""

    def there() -> set[str]:
        return {path.name for path in segments.glob("*")}

    before = there()
    while not (there() - before) and not told.poll(0.001):
        continue


def _require(true: bool, what: str) -> None:
    if not true:
        raise SystemExit(f"LOST: {what}")


def built(job: Job, place: Path) -> tuple[Reference, float]:
    """Return the gallery that is built in one go, and the seconds from the first pass on.

    One that is there is taken.
    """
    told_before = place.with_suffix(".seconds")
    if told_before.is_file():
        return Reference(Gallery.open(place)), float(told_before.read_text())
    whole = Job(job.data, place, job.run, job.chunk, job.log)
    process, told = started(whole)
    while _next(told) not in ("embedding", _END):
        continue
    start = time.perf_counter()
    message = ended(told)
    process.join()
    _require(message == _END, f"the gallery in one go: {message}")
    taken = time.perf_counter() - start
    told_before.write_text(f"{taken}")
    return Reference(Gallery.open(place)), taken


def kills(job: Job, reference: Reference, taken: float, count: int, seed: int) -> list[Seen]:
    """Kill writers so many times, and let the last one finish.

    Of six attempts one falls anywhere from the start on (each second time in the whole of a run),
    one into looking at the files, two into embedding (so early that it takes many to come to the
    end), and two into writing one of the next three pieces.
    """
    random = np.random.default_rng(seed)
    crashes = Crashes(job, reference)
    done = finished = 0
    for attempt in itertools.count():
        if done == count:
            break
        short = random.uniform(0, 3 * taken / count)
        match attempt % 6:
            case 0:
                reach = short if attempt % 12 else random.uniform(0, taken)
                over = crashes.kill("ready", reach)
            case 1:
                over = crashes.kill("looking", short)
            case 2 | 4:
                over = crashes.kill("embedding", short)
            case _:
                pieces = int(random.integers(1, 4))
                over = crashes.kill("embedding", random.uniform(0, 0.03), pieces)
        if over:
            finished += 1
            _progress(f"{done} kills; end of gallery {finished}")
            crashes.anew()
            continue
        done += 1
        _progress(f"{done} kills: {crashes.seen[-1]}")
    message = crashes.finish()
    _require(message == _END, f"the last writer: {message}")
    crashes.anew()
    return crashes.seen


def disk(job: Job, reference: Reference, step: int) -> list[Seen]:
    """Add into a small file system that grows by ``step`` bytes whenever it is full."""
    place = job.gallery.parent
    place.mkdir(exist_ok=True)
    size = step
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
    try:
        crashes = Crashes(job, reference)
        while (message := crashes.finish()) != _END:
            free = shutil.disk_usage(place).free
            _progress(
                f"{size / 2**20:g} MiB, {free:,} free, {len(crashes._files)} images: {message}"
            )
            _require(message.startswith("refused: "), message)
            size += step
            how = f"remount,size={size}"
            subprocess.run(["mount", "-o", how, place], check=True)
        crashes.anew()
    finally:
        subprocess.run(["umount", place], check=True)
    return crashes.seen


def _progress(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def _summary(part: str, seen: list[Seen], taken: float, images: int) -> None:
    table = pd.DataFrame([asdict(one) for one in seen])
    stopped = table[table["after"] != _END]
    grown: npt.NDArray[np.bool_] = (stopped["images"] > stopped["before"]).to_numpy()
    _progress(
        f"{part}: {images:,} images, {taken:.0f} s in one go; {len(stopped)} stopped "
        f"({(stopped['after'] == 'writing').sum()} of them at a write), "
        f"{(stopped['images'] == 0).sum()} before anything was committed, {grown.sum()} after more "
        f"was, {(stopped['unnamed'] > 0).sum()} with a piece half written; "
        f"{(table['after'] == 'end').sum()} galleries finished; nothing lost, nothing half; "
        f"embeddings the same in every bit {table['same'].min():.4f} to {table['same'].max():.4f}, "
        f"farthest {table['farthest'].max():.1e}; this process at most "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB"
    )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", default=["kills", "disk"])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--chunk", type=int, default=64, help="images committed together")
    parser.add_argument("--step", type=float, default=0.25, help="MiB by which the disk grows")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    console.quiet = True
    rich.reconfigure(quiet=True)
    place = given.folder.resolve()
    place.mkdir(parents=True, exist_ok=True)
    log = place / "writers.log"
    data, run = given.data.resolve(), given.run.resolve()
    job = Job(data, place / "gallery", run, given.chunk, log)
    reference, taken = built(job, place / "reference")
    _progress(f"{len(reference):,} images in one go: {taken:.1f} s")
    for part in given.parts:
        if part == "kills":
            seen = kills(job, reference, taken, given.kills, given.seed)
        else:
            small = Job(data, place / "small" / "gallery", run, given.chunk, log)
            seen = disk(small, reference, int(given.step * 2**20))
        pd.DataFrame([asdict(one) for one in seen]).to_csv(place / f"{part}.csv", index=False)
        _summary(part, seen, taken, len(reference))


if __name__ == "__main__":
    main()
