import json
import socket
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.labelling.project import Project
from annotations.vocabulary import load_vocabulary
from pipelines.cli.main import app
from pipelines.jobs.label import Wish, label


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "cars"
    folder.mkdir()
    Image.fromarray(np.full((30, 40, 3), 90, np.uint8)).save(folder / "a.png")
    return folder


def test_bad_input_is_said_before_the_page_opens(data: Path, tmp_path: Path) -> None:
    def refused(words: str, **more: object) -> None:
        with pytest.raises(InputError, match=words):
            label(Wish(data=data, work=tmp_path / "runs", port=0, **more))  # type: ignore[arg-type]

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="in use; is the page open already"):
            label(Wish(data=data, port=taken.getsockname()[1]))
    refused("give teaching or plain", order="fastest")
    refused("no setting 'epoch'", changes=("epoch=3",))
    refused("no vocabulary 'prm'", vocabulary="prm")
    refused("not a trained detector", detector=tmp_path / "nothing")
    refused("not a labelled set", start=data, labels=tmp_path / "started")
    made = Project.create(tmp_path / "eia", load_vocabulary("eia"), data)
    refused("labels frontal, plate", labels=made.folder, vocabulary="prn")
    other = Project.create(tmp_path / "other", load_vocabulary("prn"), tmp_path)
    refused("holds labels of images under", labels=other.folder)


def test_a_folder_that_cannot_be_written_is_said(data: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        (closed / "probe").touch()
    except OSError:
        with pytest.raises(InputError, match="cannot be written"):
            label(Wish(data=data, labels=closed / "labels", port=0))
    else:
        pytest.skip("this user may write everywhere")


def test_the_command_explains_itself() -> None:
    said = CliRunner().invoke(app, ["label", "--help"])
    assert said.exit_code == 0 and "--train-every" in said.output


def test_what_a_detector_found_becomes_tasks(data: Path, tmp_path: Path) -> None:
    boxes = Boxes(
        pd.DataFrame(
            [("a.png", "window", 0.25, 0.2, 0.75, 0.5, 0.8, "detector")],
            columns=["image", "part", "x1", "y1", "x2", "y2", "score", "source"],
        ),
        {"vocabulary": load_vocabulary("prn").record()},
    )
    boxes.write(tmp_path / "boxes.parquet")
    out = tmp_path / "tasks.json"
    command = ["parts", "export", str(tmp_path), str(out), "--format", "labelstudio"]
    said = CliRunner().invoke(app, [*command, "--data", str(data)])
    assert said.exit_code == 0, said.output
    (task,) = json.loads(out.read_text())
    (prediction,) = task["predictions"]
    value = prediction["result"][0]["value"]
    assert prediction["score"] == 0.8 and not task.get("annotations")
    assert (value["x"], value["y"], value["width"], value["height"]) == (25, 20, 50, 30)
