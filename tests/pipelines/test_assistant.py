"""The detector behind the labelling page: it learns from a project, and proposes."""

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.labelling.project import Project
from annotations.labelling.record import DrawnBox, ImageLabels
from annotations.vocabulary import load_vocabulary
from pipelines.labelling.assistant import FEWEST, Assistant

CHANGES = ("weights=yolo11n.yaml", "image_size=64", "epochs=1", "batch=4", "mosaic=0")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("cars")
    for number in range(FEWEST + 4):
        pixels = np.full((48, 64, 3), 40, np.uint8)
        pixels[10:20, 10:50] = 200
        Image.fromarray(pixels).save(root / f"{number:02d}.png")
    made = Project.create(root.parent / "labels", load_vocabulary("prn"), root)
    window = DrawnBox(part="window", x1=10 / 64, y1=10 / 48, x2=50 / 64, y2=20 / 48)
    for number in range(FEWEST - 1):
        labels = ImageLabels(image=f"{number:02d}.png", boxes=(window,), state="done")
        made.save(labels, 0)
    return made


def wait(assistant: Assistant) -> None:
    end = time.monotonic() + 300
    while assistant.status.training and time.monotonic() < end:
        time.sleep(0.2)
    assert not assistant.status.training


def test_it_learns_from_the_project_and_is_found_again(project: Project) -> None:
    images = read_images(project.root)
    assistant = Assistant(images, project, changes=CHANGES, device="cpu")
    assert "no detector yet" in assistant.status.words and not assistant.status.can_train
    assert assistant.propose("00.png") == []
    assistant.train()  # too few: nothing happens
    assert not assistant.status.training
    project.save(ImageLabels(image=f"{FEWEST:02d}.png", state="done"), 0)
    assert assistant.status.can_train
    before = assistant.version
    assistant.train()
    assert assistant.status.training and f"{FEWEST} images" in assistant.status.words
    wait(assistant)
    assert f"learned from {FEWEST} of these images" in assistant.status.words
    assert assistant.version > before
    found = assistant.propose("12.png")  # whatever one epoch has taught, in form
    assert all(box.source == "detector" and box.untouched for box in found)
    assistant.look_at(["11.png", "12.png"])
    end = time.monotonic() + 60
    while assistant.found()[0] is None and time.monotonic() < end:
        time.sleep(0.1)
    assert assistant.found()[0] is not None
    again = Assistant(images, project, changes=CHANGES, device="cpu")
    assert again.status.words == assistant.status.words


def test_a_training_that_fails_says_why(project: Project, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"no weights")
    images = read_images(project.root)
    changes = (f"weights={bad}", "epochs=1")
    assistant = Assistant(images, project, changes=changes, device="cpu")
    project.save(ImageLabels(image=f"{FEWEST + 1:02d}.png", state="done"), 0)
    assistant.train()
    wait(assistant)
    assert assistant.status.failed and "bad.pt" in assistant.status.words


def test_a_detector_of_other_parts_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a trained detector"):
        Assistant(read_images(project.root), project, tmp_path)
