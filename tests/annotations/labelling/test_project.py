from pathlib import Path

import pytest

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.images import Images
from annotations.labelling.project import Project
from annotations.labelling.record import DrawnBox, ImageLabels
from annotations.labels import LabelledSet
from annotations.vocabulary import load_vocabulary


def box(part: str, *corners: float, **more: object) -> DrawnBox:
    return DrawnBox(part=part, **dict(zip(CORNERS, corners, strict=True)), **more)


def test_a_project_is_a_labelled_set_of_what_is_finished(project: Project) -> None:
    window = box("window", 0.1, 0.1, 0.5, 0.4)
    project.save(ImageLabels(image="00.jpg", boxes=(window,), state="done"), 0)
    project.save(ImageLabels(image="01.jpg", state="done"), 0)
    project.save(ImageLabels(image="02.jpg", boxes=(window,)), 0)
    project.save(ImageLabels(image="03.jpg", boxes=(window,), state="skipped"), 0)
    labels = LabelledSet.read(project.folder)
    assert list(labels.images.frame["image"]) == ["00.jpg", "01.jpg"]
    assert all(path.is_file() for path in labels.images.paths)
    assert labels.boxes.frame[CORNERS].to_numpy().tolist() == [[0.1, 0.1, 0.5, 0.4]]
    assert set(labels.boxes.frame["source"]) == {"label"}
    assert labels.labelled == {"window", "light", "brand"}


def test_it_is_opened_as_it_was_made(project: Project, tmp_path: Path) -> None:
    again = Project.open(project.folder)
    assert again.vocabulary == project.vocabulary
    assert again.root.resolve() == project.root.resolve()
    own = tmp_path / "own.yaml"
    own.write_text("parts:\n  - {name: badge, colour: '#123456'}\n")
    mine = Project.create(tmp_path / "mine", load_vocabulary(str(own)), project.root)
    own.unlink()
    assert Project.open(mine.folder).vocabulary.names == ("badge",)


def test_images_can_be_moved(project: Project, images: Images, tmp_path: Path) -> None:
    project.save(ImageLabels(image="00.jpg", state="done"), 0)
    images.root.rename(tmp_path / "elsewhere")
    Project.open(project.folder).follow(tmp_path / "elsewhere")
    labels = LabelledSet.read(project.folder)
    assert all(path.is_file() for path in labels.images.paths)


def test_nothing_finished_is_no_set(project: Project) -> None:
    with pytest.raises(InputError, match="no image is labelled to the end"):
        LabelledSet.read(project.folder)


def test_a_folder_with_something_else_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds something else"):
        Project.create(project.root, project.vocabulary, project.root)
    with pytest.raises(InputError, match="cannot be written"):
        Project.create(Path("/proc/labels"), project.vocabulary, project.root)


def test_a_damaged_card_is_named(project: Project) -> None:
    (project.folder / "labels.yaml").write_text("labelled: []\n")
    with pytest.raises(InputError, match=r"labels.yaml: must have the keys"):
        Project.open(project.folder)


def test_a_set_does_not_replace_a_project(project: Project) -> None:
    project.save(ImageLabels(image="00.jpg", state="done"), 0)
    with pytest.raises(InputError, match="history would be lost"):
        LabelledSet.read(project.folder).write(project.folder)


def test_parts_of_another_vocabulary_are_refused(project: Project) -> None:
    with pytest.raises(InputError, match="wheel"):
        project.save(ImageLabels(image="00.jpg", boxes=(box("wheel", 0, 0, 1, 1),)), 0)


def test_labels_made_elsewhere_are_taken_over_once(
    project: Project, images: Images, tmp_path: Path
) -> None:
    other = Project.create(tmp_path / "other", project.vocabulary, images.root)
    for name in ("00.jpg", "01.jpg"):
        window = box("window", 0.1, 0.1, 0.5, 0.4)
        other.save(ImageLabels(image=name, boxes=(window,), state="done"), 0)
    project.save(ImageLabels(image="01.jpg", state="skipped"), 0)
    labels = other.labelled()
    assert project.take_over(labels, "them") == 1
    assert project.take_over(labels, "them") == 0
    change = project.journal.latest("00.jpg")
    assert change is not None and change.by == "them"
    assert change.labels.boxes[0].corners == (0.1, 0.1, 0.5, 0.4)


LIGHTS = (box("light", 0.1, 0.5, 0.25, 0.6), box("light", 0.7, 0.55, 0.9, 0.62))


def test_lights_reach_down_and_brand_lies_between(images: Images, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "derived", load_vocabulary("prn"), images.root, "prn")
    change = project.save(ImageLabels(image="00.jpg", boxes=LIGHTS, bottom=0.9), 0)
    assert [each.part for each in change.labels.boxes] == ["light", "light", "brand"]
    assert [each.y2 for each in change.labels.boxes] == [0.9, 0.9, 0.9]
    # From the inner edge of the left light to that of the right one, from the higher top.
    assert change.labels.boxes[2].corners == (0.25, 0.5, 0.7, 0.9)
    # The line was moved: what was derived follows.
    moved = change.labels.model_copy(update={"bottom": 0.8})
    again = project.save(moved, 1).labels
    assert [each.y2 for each in again.boxes] == [0.8, 0.8, 0.8]
    assert len(again.boxes) == 3


def test_what_a_person_decides_is_not_derived_away(images: Images, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "derived", load_vocabulary("prn"), images.root, "prn")
    own = box("brand", 0.3, 0.5, 0.6, 0.8)
    kept = project.save(ImageLabels(image="00.jpg", boxes=(*LIGHTS, own), bottom=0.9), 0)
    assert [each for each in kept.labels.boxes if each.part == "brand"] == [own]
    hidden = ImageLabels(image="01.jpg", boxes=LIGHTS, bottom=0.9, hidden=("brand",))
    assert all(each.part == "light" for each in project.save(hidden, 0).labels.boxes)
    found = box("light", 0.1, 0.5, 0.25, 0.85, source="detector", proposed=(0.1, 0.5, 0.25, 0.85))
    change = project.save(ImageLabels(image="02.jpg", boxes=(found,), bottom=0.9), 0)
    assert change.labels.boxes[0] == found
    with pytest.raises(InputError, match="can derive parts"):
        Project.create(tmp_path / "eia", load_vocabulary("eia"), images.root, "prn")
