import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from annotations.errors import InputError
from annotations.images import Images
from annotations.labelling.desk import Desk, Seat
from annotations.labelling.page.pictures import LARGEST, Pictures
from annotations.labelling.page.talk import Talk, difference
from annotations.labelling.progress import measure
from annotations.labelling.project import Project
from annotations.labelling.record import DrawnBox, ImageLabels
from annotations.web.guard import Guard
from annotations.web.serve import address, bind, token_for

WINDOW = {"part": "window", "x1": 0.1, "y1": 0.2, "x2": 0.5, "y2": 0.4}


async def _ok(_: object) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("ok")
    await socket.close()


def guarded(token: str | None, base: str = "http://127.0.0.1:8090") -> TestClient:
    routes = [Route("/", _ok, methods=["GET", "POST"]), WebSocketRoute("/ws", _socket)]
    return TestClient(Guard(Starlette(routes=routes), token), base_url=base)


def test_without_a_token_this_machine_alone_is_answered() -> None:
    assert guarded(None).get("/").text == "ok"
    assert guarded(None, "http://localhost:8090").get("/").status_code == 200
    refused = guarded(None, "http://evil.example").get("/")
    assert refused.status_code == 403 and "127.0.0.1" in refused.text


def test_other_sites_are_refused() -> None:
    headers = {"origin": "http://evil.example"}
    assert guarded(None).post("/", headers=headers).status_code == 403
    same = {"origin": "http://127.0.0.1:8090"}
    assert guarded(None).post("/", headers=same).status_code == 200


def test_a_token_is_asked_for_once() -> None:
    client = guarded("secret", "http://lab.example")
    assert client.get("/").status_code == 403
    assert client.get("/?token=wrong").status_code == 403
    assert client.get("/?token=secrét").status_code == 403
    assert client.get("/?token=secret").text == "ok"  # by a cookie, after being sent on
    assert "token" not in str(client.get("/").url)
    assert client.get("/").text == "ok"


def test_other_sites_cannot_show_images_but_may_link_here() -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert guarded(None).get("/", headers=headers).status_code == 403
    headers["sec-fetch-mode"] = "navigate"
    assert guarded(None).get("/", headers=headers).status_code == 200
    own = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"}
    assert guarded(None).get("/", headers=own).status_code == 200


def test_the_token_is_taken_from_the_address_and_the_rest_of_it_stays() -> None:
    client = guarded("secret", "http://lab.example")
    sent = client.get("/?by=ben&token=secret&image=a%20b.png", follow_redirects=False)
    assert sent.headers["location"] == "/?by=ben&image=a+b.png"
    sent = client.get("http://lab.example//evil.example/?token=secret", follow_redirects=False)
    assert sent.headers["location"].startswith("/evil.example")


def test_a_cookie_of_another_program_is_no_obstacle() -> None:
    client = guarded("secret", "http://lab.example")
    cookies = {"cookie": 'other={"a": [1]}; partreid-token=secret'}
    assert client.get("/", headers=cookies).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1.evil.example", "[::1", "", "[evil]:80"])
def test_odd_hosts_are_refused(host: str) -> None:
    assert guarded(None).get("/", headers={"host": host}).status_code == 403


def test_sockets_are_guarded_too() -> None:
    with guarded(None).websocket_connect("ws://127.0.0.1:8090/ws") as socket:
        assert socket.receive_text() == "ok"
    with (
        pytest.raises(WebSocketDisconnect),
        guarded("secret").websocket_connect("ws://127.0.0.1:8090/ws") as socket,
    ):
        socket.receive_text()
    headers = {"origin": "http://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        guarded(None).websocket_connect("ws://127.0.0.1:8090/ws", headers=headers) as socket,
    ):
        socket.receive_text()


def test_only_images_of_the_data_set_are_read(images: Images, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    Image.new("RGB", (20, 20)).save(secret)
    (images.root / "link.jpg").symlink_to(secret)
    table = pd.concat([images.frame, pd.DataFrame({"image": ["link.jpg"]})], ignore_index=True)
    pictures = Pictures(Images(table, images.root))
    assert pictures.whole("00.jpg").content == (images.root / "00.jpg").read_bytes()
    for name in ("../secret.jpg", str(secret), "", "00.jpg/../00.jpg"):
        with pytest.raises(InputError, match="no image"):
            pictures.whole(name)
    with pytest.raises(InputError, match="outside the data set's folder"):
        pictures.whole("link.jpg")


def test_large_images_come_smaller_and_in_regions(tmp_path: Path) -> None:
    pixels = np.zeros((2000, LARGEST + 1000, 3), np.uint8)
    pixels[:1000, :2000] = (200, 20, 20)
    Image.fromarray(pixels).save(tmp_path / "large.png")
    pictures = Pictures(Images(pd.DataFrame({"image": ["large.png"]}), tmp_path))
    assert pictures.size("large.png") == (LARGEST + 1000, 2000)
    (tmp_path / "small.jpg").write_bytes(pictures.whole("large.png").content)
    small = Image.open(tmp_path / "small.jpg")
    assert small.size == (LARGEST, 1500)
    (tmp_path / "cut.jpg").write_bytes(pictures.region("large.png", (0, 0, 0.5, 0.5)).content)
    cut = np.asarray(Image.open(tmp_path / "cut.jpg"))
    assert cut.shape == (1000, 2000, 3) and abs(cut.mean((0, 1)) - (200, 20, 20)).max() < 4
    with pytest.raises(InputError, match="empty region"):
        pictures.region("large.png", (0.5, 0, 0.5, 1))


@pytest.fixture
def talk(images: Images, project: Project) -> Talk:
    desk = Desk(images, project, teaching=False)
    seat = Seat(by="anna")
    desk.sit_down(seat)
    return Talk(desk, seat, Pictures(images))


def say(talk: Talk, what: str, shown: dict[str, Any], **labels: Any) -> tuple[str, dict[str, Any]]:
    return talk.answer(
        {
            "what": what,
            "labels": {**shown["labels"], "image": shown["image"], **labels},
            "follows": shown["revision"],
            "actions": 2,
            "seconds": 4.5,
        }
    )


def test_a_conversation(talk: Talk, project: Project) -> None:
    method, shown = talk.answer({"what": "ready"})
    assert method == "show" and shown["image"] == "00.jpg" and shown["width"] == 80
    method, saved = say(talk, "save", shown, boxes=[WINDOW])
    assert method == "saved" and saved["revision"] == 1
    method, second = say(talk, "finish", saved, boxes=[WINDOW], state="done")
    assert method == "show" and second["image"] == "01.jpg"
    assert second["progress"]["done"] == 1 and second["progress"]["actions"] == 4
    assert project.finished()[0].boxes[0].part == "window"
    _, told = talk.answer({"what": "history", "image": "00.jpg"})
    assert [row["what"] for row in told["rows"]] == ["finished", "window added"]
    assert talk.answer({"what": "copy"})[1]["boxes"][0]["source"] == "copied"
    assert talk.answer({"what": "previous"})[1]["image"] == "00.jpg"
    method, failed = talk.answer({"what": "previous"})
    assert method == "failed" and "first image" in failed["message"]


def test_what_a_page_must_not_say(talk: Talk) -> None:
    _, shown = talk.answer({"what": "ready"})
    for labels, words in (
        ({"boxes": [{**WINDOW, "x2": 0.1}]}, "no area"),
        ({"boxes": [{**WINDOW, "x2": 1.5}]}, "x2"),
        ({"boxes": [{**WINDOW, "part": "roof"}]}, "roof"),
        ({"image": "../../etc/passwd"}, "no image"),
        ({"state": "perfect"}, "state"),
    ):
        method, answer = say(talk, "save", shown, **labels)
        assert method == "failed" and words in answer["message"]


def test_a_change_by_someone_else_is_shown(talk: Talk, project: Project) -> None:
    _, shown = talk.answer({"what": "ready"})
    project.save(ImageLabels(image="00.jpg", flag="odd"), 0, by="ben")
    method, answer = say(talk, "save", shown, boxes=[WINDOW])
    assert method == "conflict" and "ben" in answer["message"]
    assert answer["labels"]["flag"] == "odd" and answer["revision"] == 1


def test_an_unreadable_image_is_answered_on_the_page(talk: Talk, images: Images) -> None:
    (images.root / "00.jpg").write_bytes(b"no image")
    method, shown = talk.answer({"what": "ready"})
    assert method == "show" and "not a readable image" in shown["problem"] and not shown["url"]


def test_differences_in_words() -> None:
    box = DrawnBox(**WINDOW)  # type: ignore[arg-type]
    before = ImageLabels(image="a", boxes=(box,))
    moved = before.model_copy(update={"boxes": (box.model_copy(update={"x2": 0.6}),)})
    assert difference(before, moved) == "window moved"
    assert difference(before, ImageLabels(image="a", hidden=("light",))) == (
        "window removed, light not visible"
    )
    assert difference(before, before) == "nothing"


def test_progress_counts_what_was_worked(talk: Talk, project: Project) -> None:
    _, shown = talk.answer({"what": "ready"})
    kept = {**WINDOW, "source": "detector", "score": 0.7, "proposed": [0.1, 0.2, 0.5, 0.4]}
    moved = {**kept, "x2": 0.6}
    copied = {**kept, "part": "light", "source": "copied", "score": 1.0}
    say(talk, "finish", shown, boxes=[kept, moved, copied], offered=3, state="done")
    now = measure(project)
    assert (now.done, now.offered, now.untouched) == (1, 3, 1)
    assert now.per_hour == pytest.approx(3600 / 4.5)
    assert now.parts == {"window": 2, "light": 1} and now.people == {"anna": 1}


SERVER = """
import sys
from fastapi import FastAPI
from annotations.web.serve import bind, serve
serve(FastAPI(), bind("127.0.0.1", 0), lambda: print("open", flush=True))
print("closed", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_who_serves_can_clear_up_when_told_to_end(how: signal.Signals) -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "open\n"
    time.sleep(0.5)
    server.send_signal(how)
    assert server.communicate(timeout=60)[0] == "closed\n"


def test_a_page_of_one_image_ends_there(images: Images, project: Project) -> None:
    desk = Desk(images, project, teaching=False)
    for name in ("03.jpg", "../03.jpg"):
        seat = Seat(only=(name,))
        talk = Talk(desk, seat, Pictures(images))
        method, shown = talk.answer({"what": "ready"})
        if name == "03.jpg":
            assert shown["image"] == name
            method, shown = say(talk, "finish", shown, state="done")
        assert method == "show" and shown["image"] is None
        assert shown["empty"]["words"] == "no other image was asked for"


def test_whatever_goes_wrong_is_answered(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Desk, "next", lambda *_: broken(_))
    method, answer = talk.answer({"what": "next"})
    assert method == "failed" and answer["what"] == "next" and "RuntimeError" in answer["message"]


def test_ports_and_tokens() -> None:
    taken = bind("127.0.0.1", 0)
    port = taken.getsockname()[1]
    with pytest.raises(InputError, match=f"port {port} is in use"):
        bind("127.0.0.1", port)
    assert address("127.0.0.1", taken, None) == f"http://127.0.0.1:{port}/"
    assert address("127.0.0.1", taken, "x").endswith("/?token=x")
    taken.close()
    assert token_for("127.0.0.1", None) is None
    assert token_for("0.0.0.0", None) != token_for("0.0.0.0", None)
    assert token_for("0.0.0.0", "mine") == "mine"
    with pytest.raises(InputError, match=r"cannot listen on no\.such\.host"):
        bind("no.such.host", 0)
