"""The interface for programs, and what stands behind it."""

import asyncio
import errno
import io
import os
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.web.guard import Guard
from annotations.web.limit import Limit
from pipelines.jobs.adding import add
from pipelines.recipes import load_recipe
from reid.embedding import embed
from reid.methods import build_model
from reid.retrieval.about import GalleryAbout
from reid.retrieval.evidence import Comparer
from reid.retrieval.gallery import Gallery
from reid.retrieval.service import api as api_module
from reid.retrieval.service import uploads as uploads_module
from reid.retrieval.service.api import make_api
from reid.retrieval.service.marks import Marks
from reid.retrieval.service.offers import named
from reid.retrieval.service.problems import add_errors
from reid.retrieval.service.searcher import GoneError, Searcher
from reid.retrieval.service.turns import Turns
from reid.retrieval.service.uploads import Uploads
from reid.retrieval.writer import open_writer
from reid.run import Run, save_model
from reid.verification.calibration import Calibration
from reid.verification.curve import Curve
from reid.verification.described import describe


def picture(seed, size=(40, 40)):
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size[::-1], Image.Resampling.NEAREST)


def content(seed, kind="PNG", size=(40, 40)):
    stream = io.BytesIO()
    picture(seed, size).save(stream, kind)
    return stream.getvalue()


def fractions():
    stream = io.BytesIO()
    Image.fromarray(np.ones((40, 40), np.float32)).save(stream, "TIFF")
    return stream.getvalue()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    torch.manual_seed(0)
    changes = ["image.height=32", "image.width=32", "parts.use=[]", "distance=cosine"]
    recipe = load_recipe("prn-demo", changes)
    place = tmp_path_factory.mktemp("run")
    save_model(place / "model.pt", build_model(recipe, 2, start=False), recipe, ("0", "1"))
    return Run.load(place)


@pytest.fixture
def gallery(tmp_path, run):
    (tmp_path / "photos").mkdir()
    for number in range(6):
        picture(number).save(tmp_path / "photos" / f"{number}.png")
    rows = [{"image": f"{n}.png", "camera": f"c{n % 2}", "time": 10.5 * n, "year": 2010 + n,
             "plate note": f"note {n}", "reach": float("inf")}
            for n in range(6)]  # fmt: skip
    images = Images.from_rows(rows, tmp_path / "photos", "photos")
    made = embed(run, images, device="cpu", progress=False)
    about = GalleryAbout(model=run.hash, run=str(run.source), distance=made.distance)
    return Gallery.build(made.vectors, images, tmp_path / "gallery", about)


@pytest.fixture
def searcher(gallery, run):
    return Searcher([gallery.path], device="cpu")


@pytest.fixture
def client(searcher, tmp_path):
    web = FastAPI()
    add_errors(web)
    uploads, marks = Uploads(tmp_path / "queries"), Marks(tmp_path / "marks.jsonl")
    web.include_router(make_api(searcher, uploads, marks, Turns()))
    return TestClient(Limit(web, 100_000))


def ask(client, seed=3, **data):
    return client.post("/api/search", files={"image": content(seed)}, data=data)


def test_an_image_finds_itself_and_is_asked_with_again(client):
    found = ask(client, top=3).json()
    assert found["matches"][0]["image"] == "3.png"
    assert [match["rank"] for match in found["matches"]] == [1, 2, 3]
    distances = [match["distance"] for match in found["matches"]]
    assert distances == sorted(distances) and distances[0] < 1e-3
    assert found["matches"][0]["known"] == {
        "camera": "c1", "time": 31.5, "year": 2013, "plate note": "note 3", "reach": "inf"
    }  # fmt: skip
    assert (found["width"], found["height"], found["unknown"]) == (40, 40, None)
    again = client.post("/api/search", data={"query": found["query"], "top": 3}).json()
    assert again["matches"] == found["matches"]
    part = ask(client, x1=0, y1=0, x2=0.5, y2=0.5, top=6).json()
    assert part["query"] == found["query"] and part["matches"] != found["matches"]


def test_conditions_and_groups(client):
    found = ask(client, where=["camera=c0", "time>=20"]).json()["matches"]
    assert sorted(match["image"] for match in found) == ["2.png", "4.png"]
    grouped = ask(client, group="camera").json()["matches"]
    assert [match["images"] for match in grouped] == [3, 3]
    facts = client.get("/api/galleries").json()
    columns = ["camera", "identity", "image", "plate note", "reach", "time", "year"]
    assert facts == [{"name": "gallery", "images": 6, "folders": ["photos"], "columns": columns}]


def test_images_are_shown(client, tmp_path):
    found = ask(client).json()
    item = found["matches"][0]["item"]
    for path in (f"/api/items/{item}/thumbnail", f"/api/items/{item}/image",
                 f"/api/queries/{found['query']}"):  # fmt: skip
        response = client.get(path)
        assert response.headers["content-type"] == "image/jpeg"
        shown = np.asarray(Image.open(io.BytesIO(response.content)).convert("RGB"), int)
        assert np.abs(shown - np.asarray(picture(3), int)).mean() < 20
    (tmp_path / "photos" / "3.png").unlink()
    assert client.get(f"/api/items/{item}/image").status_code == 404
    secret = tmp_path / "secret.png"
    picture(9).save(secret)
    (tmp_path / "photos" / "3.png").symlink_to(secret)
    assert client.get(f"/api/items/{item}/image").status_code == 404
    for path in ("1-99", "9-0"):
        assert "search again" in client.get(f"/api/items/{path}/image").json()["detail"]
    for path in ("../../etc/passwd", "x", "1-1-1", "%2e%2e"):
        assert client.get(f"/api/items/{path}/image").status_code in (404, 422)
    assert client.get(f"/api/queries/{'0' * 32}").status_code == 404


def test_images_of_a_linked_folder_are_shown_while_they_are_those_that_were_read(tmp_path, run):
    outside = tmp_path / "outside" / "a.png"
    outside.parent.mkdir()
    picture(3).save(outside)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "more").symlink_to("../outside")
    add(tmp_path / "gallery", [tmp_path / "linked"], run.source, thumbnails=False, device="cpu")
    client = serve(Searcher([tmp_path / "gallery"], device="cpu"), tmp_path)
    found = ask(client).json()
    assert [match["image"] for match in found["matches"]] == ["more/a.png"]
    item = found["matches"][0]["item"]
    said = {"query": found["query"], "item": item, "same": True}
    shown = (f"/api/items/{item}/image", f"/api/items/{item}/thumbnail")
    assert [client.get(path).status_code for path in shown] == [200, 200]
    assert client.post("/api/marks", json=said).status_code == 200
    os.utime(outside, (1, 1))  # as a copy has it: the content tells
    assert [client.get(path).status_code for path in shown] == [200, 200]
    secret = bytearray(outside.read_bytes())
    secret[-1] ^= 1
    outside.write_bytes(secret)
    os.utime(outside, (1, 1))
    assert [client.get(path).status_code for path in shown] == [404, 404]
    assert client.post("/api/marks", json=said).status_code == 404
    (tmp_path / "linked" / "more").unlink()
    (tmp_path / "secret").mkdir()
    picture(9).save(tmp_path / "secret" / "a.png")
    (tmp_path / "linked" / "more").symlink_to("../secret")
    assert [client.get(path).status_code for path in shown] == [404, 404]


def test_galleries_and_folders_are_told_apart(tmp_path, run, monkeypatch):
    for name in ("a", "b"):
        for place in ("yard", "street"):
            folder = tmp_path / name / place
            folder.mkdir(parents=True)
            picture(3).save(folder / "x.png")
        folders = [tmp_path / name / place for place in ("yard", "street")]
        built = tmp_path / "built" / name / "cars"
        add(built, folders, run.source, thumbnails=False, device="cpu")
    monkeypatch.chdir(tmp_path / "built" / "a" / "cars")
    paths = [Path(), Path("../../b/cars")]
    client = serve(Searcher(paths, device="cpu"), tmp_path)
    facts = client.get("/api/galleries").json()
    assert [one["name"] for one in facts] == ["a/cars", "b/cars"]
    assert [one["folders"] for one in facts] == [["a/yard", "a/street"], ["b/yard", "b/street"]]
    found = ask(client).json()["matches"]
    assert {(match["gallery"], match["folder"], match["image"]) for match in found} == {
        (f"{name}/cars", f"{name}/{place}", "x.png")
        for name in ("a", "b") for place in ("yard", "street")
    }  # fmt: skip
    (alone,) = serve(Searcher([Path()], device="cpu"), tmp_path).get("/api/galleries").json()
    assert (alone["name"], alone["folders"]) == ("cars", ["yard", "street"])
    galleries = Searcher(paths, device="cpu")
    assert named(galleries.galleries(), galleries.names) == "a/cars, b/cars: 4 images"


def test_marks_are_pairs_to_learn_from(client, tmp_path):
    found = ask(client).json()
    items = [match["item"] for match in found["matches"]]
    for item, same in ((items[0], True), (items[1], False), (items[2], True), (items[2], None)):
        said = client.post("/api/marks", json={"query": found["query"], "item": item, "same": same})
        assert said.status_code == 200
    assert said.json() == {"marks": 2}
    lines = client.get("/api/marks.csv").text.splitlines()
    file = tmp_path / "queries" / f"{found['query']}.png"
    assert lines[:2] == ["first,second,same", f"{file},{tmp_path / 'photos' / '3.png'},1"]
    assert lines[2].endswith(",0") and len(lines) == 3
    nobody = {"query": "0" * 32, "item": items[0], "same": True}
    assert client.post("/api/marks", json=nobody).status_code == 400


def test_a_mark_half_written_loses_no_other(tmp_path):
    marks = Marks(tmp_path / "marks.jsonl")
    marks.say("q", "a", True, 0.5)
    with marks.path.open("ab") as stream:
        stream.write(b'{"query": "q", "it')
    marks.say("q", "b", False, None)
    assert marks.pairs().to_numpy().tolist() == [["q", "a", 1], ["q", "b", 0]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"where": "camera"}, "write it as column=value"),
        ({"where": "camra=c1"}, "did you mean 'camera'"),
        ({"where": "camera=c9"}, "no image fulfils"),
        ({"group": "lane"}, "no column 'lane' to group by"),
        ({"x1": 0.5, "x2": 0.5}, "a region is x1, y1, x2, y2"),
        ({"x1": 0.5, "x2": 0.55}, "smaller than 8 pixels"),
        ({"query": "0" * 32}, "give an image, or the name"),
    ],
)
def test_questions_that_make_no_sense(client, data, said):
    response = ask(client, **data)
    assert response.status_code == 400 and said in response.json()["detail"]


def test_files_that_are_no_images(client):
    unreadable = "not a readable image (cannot identify image file)"
    for bad, said in (
        (b"", "the file is empty"),
        (b"text", unreadable),
        (content(1)[:100], "not a readable image"),
        (content(1, "GIF"), "JPEG, PNG, WebP"),
        (content(1, size=(4, 4)), "4 x 4 pixels; at least 8 a side needed"),
        (fractions(), "its pixels are fractions, of no known range; save it in 8 bits"),
    ):
        response = client.post("/api/search", files={"image": bad})
        assert response.status_code == 400 and said in response.json()["detail"], bad[:9]
        assert "/" not in response.json()["detail"]
        assert ("not a readable" in said) == ("not a readable" in response.json()["detail"])
    assert client.post("/api/search").status_code == 400
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    response = client.post("/api/search", files={"image": stream.getvalue()})
    assert response.status_code == 400
    assert response.json()["detail"].startswith("too many pixels to be a photograph (400,000,000,")
    for top in (0, 1001, "x"):
        assert ask(client, top=top).status_code == 422


def test_what_is_not_there_is_said_in_json(client):
    for method, path, status in (
        ("GET", "/api/search", 405),
        ("DELETE", "/api/galleries", 405),
        ("GET", "/api/nothing/here", 404),
        ("POST", "/api/items", 404),
    ):
        response = client.request(method, path)
        assert response.status_code == status, path
        assert response.headers["content-type"] == "application/json"
        assert response.json()["detail"]
    assert client.get("/api/search").headers["allow"] == "POST"
    assert client.get("/api/galleries").status_code == 200


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(errno.ENOSPC, 507, "no room"), (errno.EACCES, 500, "cannot use a file of its own")],
)
def test_a_disk_that_takes_no_more_is_said_in_json(client, monkeypatch, number, status, said):
    def refuse(*given):
        raise OSError(number, os.strerror(number), "/secret/place")

    monkeypatch.setattr(Uploads, "take", refuse)
    response = ask(client)
    assert response.status_code == status and said in response.json()["detail"]
    assert os.strerror(number) in response.json()["detail"] and "secret" not in response.text


@pytest.fixture
def parted(tmp_path):
    """A searcher of a network that looks at parts, with boxes of every image it is asked about."""
    torch.manual_seed(0)
    changes = ["image.height=32", "image.width=32"]
    recipe = load_recipe("prn-demo", changes)
    (tmp_path / "parted").mkdir()
    model = build_model(recipe, 2, start=False)
    save_model(tmp_path / "parted" / "model.pt", model, recipe, ("0", "1"))
    loaded = Run.load(tmp_path / "parted")
    (tmp_path / "photos").mkdir(exist_ok=True)
    for number in range(4):
        picture(number).save(tmp_path / "photos" / f"{number}.png")
    rows = [{"image": f"{n}.png"} for n in range(4)]
    images = Images.from_rows(rows, tmp_path / "photos", "photos")
    made = embed(loaded, images, device="cpu", progress=False)
    about = GalleryAbout(model=loaded.hash, run=str(loaded.source), distance=made.distance)
    built = Gallery.build(made.vectors, images, tmp_path / "parts-gallery", about)
    searcher = Searcher([built.path], device="cpu")
    searcher.comparer = Comparer(loaded, two_parts, device="cpu", keep=9, progress=False)
    return searcher


def two_parts(images):
    """A window on every image, and a light on the queries, which are named by their content."""
    rows = [(name, "window", 0.1, 0.1, 0.9, 0.5) for name in images.frame["image"]]
    rows += [(name, "light", 0.0, 0.5, 0.25, 1.0) for name in images.frame["image"]
             if len(Path(name).stem) >= 32]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["image", "part", "x1", "y1", "x2", "y2"])
    return Boxes(frame.assign(score=1.0, source="detector"))


def serve(searcher, tmp_path, **turns):
    web = FastAPI(openapi_url="/api/openapi.json")
    add_errors(web)
    uploads, marks = Uploads(tmp_path / "queries"), Marks(tmp_path / "marks.jsonl")
    web.include_router(make_api(searcher, uploads, marks, Turns(**turns)))
    return TestClient(web)


def test_what_the_parts_of_a_match_say(parted, tmp_path):
    client = serve(parted, tmp_path)
    found = ask(client).json()
    asked = {"query": found["query"]}
    told = client.get("/api/evidence", params={**asked, "item": found["matches"][0]["item"]}).json()
    window, light, brand = told["parts"]
    assert told["calibrated"] is False and told["note"] == ""
    assert told["sentence"] == "Only window is seen in both: 0.000 apart."  # of itself
    assert window["distance"] == pytest.approx(0, abs=1e-4) and window["says"] is None
    corners = [{"x1": 0.1, "y1": 0.1, "x2": 0.9, "y2": 0.5}]
    assert window["query"] == window["match"] == corners
    assert len(light["query"]) == 1 and light["match"] == [] and light["distance"] is None
    assert brand == {"part": "brand", "distance": None, "says": None, "query": [], "match": []}
    other = {**asked, "item": found["matches"][1]["item"]}
    far = client.get("/api/evidence", params=other).json()["parts"][0]["distance"]
    item = parted.file(other["item"])
    upload = tmp_path / "queries" / f"{found['query']}.png"
    images = Images.from_rows([{"image": str(path)} for path in (upload, item)], Path("/"), "pair")
    made = describe(parted.run, images, two_parts(images), device="cpu", progress=False).parts[:, 0]
    expected = np.sqrt(((made[0].astype(float) - made[1]) ** 2).sum())
    assert far == pytest.approx(expected, rel=0.05) and far > 0.1
    part = client.get("/api/evidence", params={**other, "x2": 0.5, "y2": 0.5}).json()
    assert part["parts"][0]["distance"] != far
    (tmp_path / "photos" / item.name).unlink()
    assert client.get("/api/evidence", params=other).status_code == 404
    for wrong, status in (({"item": "1-1"}, 404), ({"query": "0" * 32}, 400), ({"x2": 0.01}, 400),
                          ({"item": "../x"}, 422)):  # fmt: skip
        params = {**asked, "item": found["matches"][0]["item"], **wrong}
        assert client.get("/api/evidence", params=params).status_code == status


def test_parts_that_say_for_and_against_where_the_run_is_calibrated(parted, tmp_path):
    curve = Curve(slope=-1.0, offset=1.0, same=9, different=9)
    parts = dict.fromkeys(parted.run.recipe.parts.use, curve)
    Calibration(model=parted.run.hash, same=("identity",), branches="global", distance="euclidean",
                compared="euclidean", source="s", whole=curve, parts=parts
                ).write(parted.run.source)  # fmt: skip
    parted.comparer = Comparer(parted.run, two_parts, device="cpu", progress=False)
    client = serve(parted, tmp_path)
    found = ask(client).json()
    asked = {"query": found["query"], "item": found["matches"][0]["item"]}
    told = client.get("/api/evidence", params=asked).json()
    assert told["calibrated"] is True and told["sentence"] == "For it: window +1.0."
    assert told["parts"][0]["says"] == pytest.approx(1.0, abs=1e-3)


def test_query_images_used_long_ago_make_room_unless_marked(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads_module, "_SWEEP", 4)
    held = set()
    room = sum(len(content(number)) for number in (1, 2, 3))
    uploads = Uploads(tmp_path / "queries", lambda: held, room=room)
    first, second, third = (uploads.take(content(number)) for number in range(3))
    for age, upload in enumerate((second, first, third)):
        os.utime(upload.path, (age, age))
    held.add(str(second.path.resolve()))
    uploads.get(third.name)
    fourth = uploads.take(content(3))
    there = {path.name for path in (tmp_path / "queries").iterdir()}
    assert there == {upload.path.name for upload in (second, third, fourth)}
    with pytest.raises(InputError, match="send it again"):
        uploads.get(first.name)


def test_where_no_parts_are_compared_that_is_said(client):
    found = ask(client).json()
    asked = {"query": found["query"], "item": found["matches"][0]["item"]}
    response = client.get("/api/evidence", params=asked)
    assert response.status_code == 400 and "no part evidence" in response.json()["detail"]


def test_comparing_parts_has_its_time(parted, tmp_path):
    client = serve(parted, tmp_path, seconds=0.3)
    parted.comparer.compare = lambda pairs: time.sleep(2)
    upload = Uploads(tmp_path / "queries").take(content(1))
    row = parted.galleries()
    state = max(parted._states)
    assert len(row) == 4
    asked = {"query": upload.name, "item": f"{state}-0"}
    with client:
        assert client.get("/api/evidence", params=asked).status_code == 504


def test_long_requests_are_refused_by_what_they_say_and_by_what_they_are(client):
    assert client.post("/api/search", files={"image": bytes(200_000)}).status_code == 413

    def endless():
        for _ in range(100):
            yield bytes(10_000)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = client.post("/api/search", content=endless(), headers=headers)
    assert response.status_code == 413 and "at most" in response.json()["detail"]


def test_a_growing_gallery_is_seen_and_what_was_found_still_shown(client, gallery):
    before = ask(client).json()["matches"]
    with open_writer(gallery.path) as writer:
        writer.remove(np.array([3]))
        writer.compact()
    after = ask(client).json()["matches"]
    assert len(after) == 5 and "3.png" not in [match["image"] for match in after]
    assert client.get(f"/api/items/{before[0]['item']}/thumbnail").status_code == 200
    same = [match for match in before if match["image"] == after[0]["image"]]
    assert same[0]["item"] != after[0]["item"]


def test_old_states_are_let_go(searcher, gallery, tmp_path):
    first = searcher.galleries()
    for row in range(5):
        with open_writer(gallery.path) as writer:
            writer.remove(np.array([row]))
        searcher.galleries()
    assert searcher.galleries() is not first
    with pytest.raises(GoneError, match="search again"):
        searcher.item("1-0")


def test_too_many_and_too_long(tmp_path):
    begun, go_on = threading.Semaphore(0), threading.Event()

    class Slow:
        def find(self, path, question):
            begun.release()
            go_on.wait(30)
            raise InputError("came too late")

    web = FastAPI()
    add_errors(web)
    turns = Turns(waiting=2, seconds=0.2)
    web.include_router(make_api(Slow(), Uploads(tmp_path), Marks(tmp_path / "m"), turns))
    with TestClient(web) as client:
        assert ask(client).status_code == 504
        assert ask(client).status_code == 504  # both still work, on threads of their own
        begun.acquire()
        begun.acquire()
        assert ask(client).status_code == 503
        go_on.set()
        for _ in range(100):
            response = ask(client)
            if response.status_code == 400:
                break
            time.sleep(0.02)
        assert response.json()["detail"] == "came too late"


def test_those_who_look_at_images_wait_for_their_turn_too(searcher, tmp_path, monkeypatch):
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(path, side=160):
        begun.release()
        go_on.wait(30)

    monkeypatch.setattr(api_module, "thumbnail_file", slow)
    web = FastAPI()
    add_errors(web)
    uploads, marks = Uploads(tmp_path / "queries"), Marks(tmp_path / "m")
    query = uploads.take(content(1)).name
    turns = Turns(waiting=2, seconds=0.2)
    web.include_router(make_api(searcher, uploads, marks, Turns(), turns))
    searcher.galleries()
    item = f"{max(searcher._states)}-0"
    with TestClient(web) as client:
        assert client.get(f"/api/queries/{query}").status_code == 504
        assert client.get(f"/api/items/{item}/image").status_code == 504
        assert client.get(f"/api/items/{item}/thumbnail").status_code == 503
        assert ask(client).status_code == 200  # searches have a queue of their own
        go_on.set()
    assert begun.acquire(timeout=1) and begun.acquire(timeout=1)


def test_few_work_at_once_and_those_who_waited_in_vain_not_at_all():
    begun, go_on = [], threading.Event()

    def work(name):
        begun.append(name)
        go_on.wait(30)
        return name

    async def several():
        turns = Turns(waiting=3, seconds=0.3, at_once=1)
        asked = [asyncio.create_task(turns.take(partial(work, name))) for name in "abc"]
        said = await asyncio.gather(*asked, return_exceptions=True)
        go_on.set()
        await asyncio.sleep(0.2)
        return said, await turns.take(partial(work, "d"))

    said, last = asyncio.run(several())
    assert [problem.status_code for problem in said] == [504, 504, 504]
    assert begun == ["a", "d"] and last == "d"


def test_an_image_is_decoded_when_it_is_sent_and_not_when_it_is_asked_with(tmp_path, monkeypatch):
    uploads = Uploads(tmp_path / "queries")
    turned = Image.Exif()
    turned[0x0112] = 6
    stream = io.BytesIO()
    picture(1, (24, 40)).save(stream, "JPEG", exif=turned)
    first = uploads.take(stream.getvalue())
    assert (first.width, first.height) == (24, 40)

    def refuse(*given):
        raise AssertionError

    monkeypatch.setattr(uploads_module, "read_image", refuse)
    assert uploads.take(stream.getvalue()) == uploads.get(first.name) == first


def test_probabilities_where_the_run_is_calibrated(client, run):
    curve = Curve(slope=-50.0, offset=5.0, same=50, different=50)
    Calibration(model=run.hash, same=("identity",), branches="global", distance="cosine",
                compared="cosine", source="s", whole=curve, parts={}).write(run.source)  # fmt: skip
    try:
        found = ask(client).json()
        assert found["unknown"] is False
        odds = [match["probability"] for match in found["matches"]]
        expected = curve.probability([match["distance"] for match in found["matches"]])
        np.testing.assert_allclose(odds, expected, atol=1e-5)
        assert ask(client, seed=77).json()["unknown"] is (max(
            match["probability"] for match in ask(client, seed=77).json()["matches"]) < 0.5
        )  # fmt: skip
    finally:
        (run.source / Calibration.FILE).unlink()


def test_a_program_gives_its_token(searcher, tmp_path):
    web = FastAPI()
    web.include_router(make_api(searcher, Uploads(tmp_path), Marks(tmp_path / "m"), Turns()))
    client = TestClient(Guard(web, "secret"), base_url="http://elsewhere")
    assert client.get("/api/galleries").status_code == 403
    for given, status in (("Bearer secret", 200), ("bearer secret", 200), ("Bearer wrong", 403),
                          ("Basic secret", 403), ("Bearer ", 403)):  # fmt: skip
        headers = {"authorization": given}
        assert client.get("/api/galleries", headers=headers).status_code == status


def test_a_gallery_of_another_run_is_refused(gallery, run, tmp_path):
    torch.manual_seed(5)
    (tmp_path / "other").mkdir()
    model = build_model(run.recipe, 2, start=False)
    save_model(tmp_path / "other" / "model.pt", model, run.recipe, ("0", "1"))
    with pytest.raises(InputError, match="made by model"):
        Searcher([gallery.path], tmp_path / "other")
