"""Embedding on a Ray cluster: what needs none, and a run on two nodes of one."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

import pipelines
from annotations.boxes import Boxes
from annotations.contents import contents_of
from annotations.errors import InputError
from annotations.images import Images
from pipelines.jobs import cluster as joining
from pipelines.jobs import embedding_on_ray
from pipelines.jobs.adding import add
from pipelines.jobs.cluster import Cluster, divide, joined_cluster
from pipelines.jobs.embedding_on_ray import OnRay, _OnNode, _shares
from pipelines.recipes import load_recipe
from reid.methods import build_model
from reid.retrieval.gallery import Gallery
from reid.retrieval.pieces import PIECES
from reid.run import Run, save_model

# Read when ray is imported, which is when the first test needs it: everything stays on this
# machine's own address, and nobody is told that ray is used.
os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}


START = "from pipelines.cli.main import main; main()"


def make_run(place, *changes):
    torch.manual_seed(0)
    recipe = load_recipe("prn-demo", ["precision=float32", *changes])
    place.mkdir()
    save_model(place / "model.pt", build_model(recipe, 2, start=False), recipe, ("0", "1"))
    return Run.load(place)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "whole"
    return make_run(place, "image.height=32", "image.width=32", "parts.use=[]")


@pytest.fixture(scope="module")
def part_run(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "parts"
    return make_run(place, "image.height=32", "image.width=32", "mirror=true")


def paint(path, seed, size=(32, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in range(70):
        paint(tmp_path / "photos" / f"v{number % 3}" / f"{number:03d}.png", number)
    return tmp_path / "photos"


def boxes_of(folder, run, path):
    """A box or two on most images, none on others."""
    rows = [
        {"image": file.relative_to(folder).as_posix(), "part": run.recipe.parts.use[slot],
         "x1": 0.1 * slot, "y1": 0.2, "x2": 0.5, "y2": 0.3 + number % 5 / 10, "score": 1.0,
         "source": "detector"}
        for number, file in enumerate(sorted(folder.rglob("*.png"))) for slot in range(number % 3)
    ]  # fmt: skip
    Boxes(pd.DataFrame(rows)).write(path)
    return path


@pytest.fixture
def near(monkeypatch):
    """In place of a cluster, this process; yields how many images each piece had."""
    pytest.importorskip("ray")
    done = []

    def made(self, images, contents):
        task, shares = self._divided(images, contents)
        node = _OnNode(task)
        for share in shares:
            done.append(len(share["images"][0]))
            yield node(share)

    @contextmanager
    def joined(address, device):
        yield Cluster("near", 1, 1, "cpu", 1)

    monkeypatch.setattr(OnRay, "_made", made)
    monkeypatch.setattr(joining, "joined_cluster", joined)
    return done


def same(gallery, other):
    """Check that two galleries hold the same."""
    ours, theirs = gallery.table(gallery.rows), other.table(other.rows)
    columns = [name for name in ours if name != "file_root"]
    order, others = ours["image"].argsort(), theirs["image"].argsort()
    pd.testing.assert_frame_equal(
        ours[columns].iloc[order].reset_index(drop=True),
        theirs[columns].iloc[others].reset_index(drop=True),
    )
    np.testing.assert_allclose(
        gallery.embeddings[order], other.embeddings[others], rtol=2e-3, atol=1e-3
    )
    for name in ("model", "branches", "mirror", "distance", "dimension", "half"):
        assert getattr(gallery.manifest, name) == getattr(other.manifest, name)


@pytest.mark.parametrize("which", ["whole", "parts"])
def test_the_gallery_is_the_same(which, tmp_path, folder, run, part_run, near):
    more = {"device": "cpu"}
    if which == "parts":
        run = part_run
        boxes = boxes_of(folder, run, tmp_path / "boxes.parquet")
        more |= {"boxes": boxes, "branches": "global+parts"}
    shutil.copy(folder / "v0" / "000.png", folder / "v0" / "copy.png")
    (folder / "v1" / "bad.png").write_text("no image")
    here = add(tmp_path / "here", [folder], run.source, **more)
    there = add(tmp_path / "there", [folder], run.source, engine="ray", chunk=16, **more)
    same(there, here)
    assert near == [32, 32, 7] and not (tmp_path / "there" / PIECES).exists()
    problems = [pd.read_csv(tmp_path / name / "unreadable.csv") for name in ("here", "there")]
    pd.testing.assert_frame_equal(*problems)
    assert len(problems[0]) == 1
    if which == "whole":
        add(tmp_path / "there", [folder], None, engine="ray", **more)
        assert near == [32, 32, 7, 1]  # the one that cannot be read is tried again


def test_lines_name_their_own_file(tmp_path, folder, run, near, monkeypatch):
    """Machines look at one file of a content, by its whole path; each piece may have others."""
    for number in (0, 999):
        (folder / "v1" / f"{number:03d}-bad.png").write_text("no image")
    monkeypatch.chdir(folder.parent)
    add(tmp_path / "there", [Path(folder.name)], run.source, engine="ray", chunk=16, device="cpu")
    lines = pd.read_csv(tmp_path / "there" / "unreadable.csv")["problem"].tolist()
    assert lines == [
        f"{folder}/v1/{number}-bad.png: not a readable image (cannot identify image file)"
        for number in ("000", "999")
    ]


def test_a_stopped_run_goes_on(tmp_path, folder, run, near, monkeypatch):
    place = tmp_path / "gallery"
    keep = OnRay._keep

    def stop(self, made):
        if near == [32, 32, 6]:
            raise KeyboardInterrupt
        return keep(self, made)

    monkeypatch.setattr(OnRay, "_keep", stop)
    with pytest.raises(KeyboardInterrupt):
        add(place, [folder], run.source, device="cpu", engine="ray")
    assert len(list((place / PIECES).iterdir())) == 2
    gallery = add(place, [folder], run.source, device="cpu", engine="ray")
    assert near == [32, 32, 6, 6] and len(gallery) == 70
    same(gallery, add(tmp_path / "here", [folder], run.source, device="cpu"))


def test_other_boxes_are_other_embeddings(tmp_path, folder, part_run, near, monkeypatch):
    place = tmp_path / "gallery"
    more = {"device": "cpu", "branches": "parts", "engine": "ray"}
    boxes = boxes_of(folder, part_run, tmp_path / "boxes.parquet")
    with monkeypatch.context() as patch:
        patch.setattr(OnRay, "embed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            add(place, [folder], part_run.source, boxes=boxes, **more)
    moved = Boxes.read(boxes).frame.assign(x2=0.9)
    Boxes(moved).write(boxes)
    add(place, [folder], part_run.source, boxes=boxes, **more)
    assert near == [32, 32, 6] * 2


def test_what_a_machine_cannot_see(tmp_path, folder, run, near, monkeypatch):
    place = tmp_path / "gallery"
    divided = OnRay._divided

    def other(**changes):
        def change(self, images, contents):
            task, shares = divided(self, images, contents)
            return embedding_on_ray.replace(task, **changes), shares

        monkeypatch.setattr(OnRay, "_divided", change)

    for changes, words in (
        ({"run": tmp_path / "nowhere"}, r"machine .*: cannot see the run .*nowhere; runs and im"),
        ({"root": tmp_path / "nowhere"}, r"cannot see images such as .*nowhere.*at the same path"),
        ({"hash": "0" * 64}, "is another network there; copy the run anew"),
    ):
        other(**changes)
        with pytest.raises(InputError, match=words):
            add(place, [folder], run.source, device="cpu", engine="ray")
    # What it left is no gallery yet, and can become one.
    monkeypatch.setattr(OnRay, "_divided", divided)
    assert len(add(place, [folder], run.source, device="cpu", engine="ray")) == 70


def test_boxes_are_divided_with_their_images(tmp_path, folder, part_run):
    boxes = Boxes.read(boxes_of(folder, part_run, tmp_path / "boxes.parquet"))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))[:50]
    images = Images(pd.DataFrame({"image": names}), folder)
    contents = contents_of(images.paths)
    shares = list(_shares(images, contents, boxes, 16))
    assert [len(share["images"][0]) for share in shares] == [16, 16, 16, 2]
    assert [each for share in shares for each in share["contents"][0].as_py()] == contents
    for share in shares:
        mine = embedding_on_ray.pickle.loads(share["boxes"][0].as_py()).frame
        expected = boxes.frame[boxes.frame["image"].isin(share["images"][0].as_py())]
        pd.testing.assert_frame_equal(mine, expected.reset_index(drop=True))


def test_dividing_a_cluster():
    machines = [{"CPU": 64.0, "GPU": 8.0}, {"CPU": 4.0, "GPU": 1.0}, {"CPU": 32.0}]
    assert divide("a", machines, "auto") == Cluster("a", 2, 9, "cuda", 4)
    assert divide("a", machines, "cuda").gpus == 1
    assert divide("a", machines, "cpu") == Cluster("a", 3, 25, "cpu", 4)
    assert divide("a", [{"CPU": 2.0}, {"CPU": 3.0}, {}], "auto") == Cluster("a", 2, 2, "cpu", 2)
    assert divide("a", [{"GPU": 2.0}], "auto") == Cluster("a", 1, 2, "cuda", 0)
    with pytest.raises(InputError, match="no machine of the cluster a has a GPU"):
        divide("a", machines[2:], "cuda")
    with pytest.raises(InputError, match="no machine of the cluster a has a processor"):
        divide("a", [{}], "auto")
    with pytest.raises(InputError, match=r"--device cuda:1: on a cluster .*; give auto, cpu or"):
        divide("a", machines, "cuda:1")


def test_clusters_that_are_not_there(tmp_path, folder, run, monkeypatch):
    place = tmp_path / "gallery"
    with pytest.raises(InputError, match="--engine rey: no such engine; did you mean 'ray'"):
        add(place, [folder], run.source, engine="rey")
    with pytest.raises(InputError, match="--ray-address a:1: is for --engine ray"):
        add(place, [folder], run.source, ray_address="a:1")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        with pytest.raises(InputError, match=r"not installed; install 'partreid\[ray\]'"):
            add(place, [folder], run.source, engine="ray")
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        began = time.monotonic()
        with (
            pytest.raises(InputError, match=rf"--ray-address {address}: no Ray cluster answers"),
            joined_cluster(address, "cpu"),
        ):
            pass
        assert time.monotonic() - began < 30
    for wrong in ("head", "ray://head:10001"):
        with pytest.raises(InputError, match=f"{wrong}: give HOST:PORT"), joined_cluster(wrong, ""):
            pass
    assert not place.exists()


@pytest.fixture(scope="module")
def two_nodes():
    """A cluster of two nodes with one processor each, in processes of their own; its address."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster as Started

    # A socket's path has 107 characters at most, which pytest's folders may have already.
    temporary = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    node = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 10**8,
            "node_ip_address": "127.0.0.1"}  # fmt: skip
    source = str(Path(pipelines.__file__).parents[1])
    with pytest.MonkeyPatch.context() as patch:
        # Also where Ray remembers which cluster is this machine's: a person's own stays that.
        patch.setenv("RAY_TMPDIR", temporary)
        patch.setenv("PYTHONPATH", source, prepend=os.pathsep)
        patch.setenv("OMP_NUM_THREADS", "1")
        started = Started(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        try:
            started.add_node(**node)
            yield started.address
        finally:
            started.shutdown()
            shutil.rmtree(temporary, ignore_errors=True)


@pytest.mark.slow
def test_a_killed_run_goes_on_on_two_nodes(tmp_path, two_nodes, capsys):
    run = make_run(tmp_path / "run", "image.height=64", "image.width=64", "parts.use=[]")
    folder, place = tmp_path / "photos", tmp_path / "gallery"
    for number in range(480):
        paint(folder / f"{number:03d}.png", number, (64, 64))
    (folder / "bad.png").write_text("no image")
    words = ["gallery", "add", place, folder, "--run", run.source, "--engine", "ray"]
    program = [sys.executable, "-c", START, *words, "--ray-address", two_nodes]
    with (tmp_path / "said").open("w") as said:
        killed = subprocess.Popen([*map(str, program)], stdout=said, stderr=said)
        until = time.monotonic() + 300
        while len(list((place / PIECES).glob("[0-9]*"))) < 2:
            assert killed.poll() is None and time.monotonic() < until, said.name
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    finished = sorted((place / PIECES).glob("[0-9]*.parquet"))
    there = sum(pq.read_metadata(path).num_rows for path in finished)
    assert 0 < there < 480
    gallery = add(place, [folder], run.source, engine="ray", ray_address=two_nodes)
    lines = " ".join(capsys.readouterr().out.split())
    assert f"{480 - there} images embedded by the cluster {two_nodes}" in lines
    assert f", nodes at work: 2; embedded before: {there}" in lines
    same(gallery, add(tmp_path / "here", [folder], run.source, device="cpu"))
    assert len(Gallery.open(place)) == 480 and not (place / PIECES).exists()
    assert pd.read_csv(place / "unreadable.csv")["problem"].str.contains("bad.png").all()
