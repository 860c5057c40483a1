import threading
from collections.abc import Sequence

import pytest

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from annotations.labelling.desk import Desk, Seat
from annotations.labelling.helper import HelperStatus
from annotations.labelling.journal import ConflictError
from annotations.labelling.project import Project
from annotations.labelling.record import DrawnBox, ImageLabels

WINDOW = DrawnBox(part="window", x1=0.1, y1=0.2, x2=0.5, y2=0.4)
FOUND = DrawnBox(
    part="light", x1=0.1, y1=0.5, x2=0.2, y2=0.9,
    source="detector", score=0.8, proposed=(0.1, 0.5, 0.2, 0.9),
)  # fmt: skip


class Stub:
    """A detector that finds one light on every image."""

    version = 0
    status = HelperStatus("stub", can_train=True)

    def __init__(self) -> None:
        self.trained = 0
        self.looked: list[str] = []

    def found(self) -> tuple[Boxes | None, Boxes | None]:
        return None, None

    def propose(self, image: str) -> list[DrawnBox]:
        if image == "05.jpg":
            raise InputError(f"{image}: not a readable image")
        return [FOUND]

    def look_at(self, images: Sequence[str]) -> None:
        self.looked = list(images)

    def train(self) -> None:
        self.trained += 1


@pytest.fixture
def desk(images: Images, project: Project) -> Desk:
    return Desk(images, project, Stub(), teaching=False)


def sit(desk: Desk, **more: object) -> Seat:
    seat = Seat(**more)  # type: ignore[arg-type]
    desk.sit_down(seat)
    return seat


def finish(desk: Desk, seat: Seat, image: str, **more: object) -> None:
    shown = desk.show(seat)
    assert shown.image == image
    labels = ImageLabels(image=image, boxes=(WINDOW,), state="done", **more)  # type: ignore[arg-type]
    desk.save(seat, labels, shown.revision, 2, 3.0)


def test_images_come_in_order_and_each_once(desk: Desk) -> None:
    seat = sit(desk)
    names = []
    while (shown := desk.next(seat)) is not None:
        names.append(shown.image)
        if shown.image != "05.jpg":
            finish(desk, seat, shown.image)
        else:
            desk.save(seat, ImageLabels(image="05.jpg", state="skipped"), 0, 1, 1.0)
    assert names == [f"{number:02d}.jpg" for number in range(12)]
    assert desk.next(sit(desk)) is None


def test_two_people_have_different_images(desk: Desk) -> None:
    anna, ben = sit(desk, by="anna"), sit(desk, by="ben")
    first, second = desk.next(anna), desk.next(ben)
    assert first is not None and second is not None and first.image != second.image
    desk.leave(anna)
    eve = desk.next(sit(desk, by="eve"))
    assert eve is not None and eve.image == first.image


def test_back_and_on_again(desk: Desk) -> None:
    seat = sit(desk)
    first, second = desk.next(seat), desk.next(seat)
    back = desk.previous(seat)
    assert first is not None and second is not None
    assert back is not None and back.image == first.image
    assert desk.previous(seat) is None
    on = desk.next(seat)
    assert on is not None and on.image == second.image


def test_proposals_are_offered_until_the_image_is_touched(desk: Desk) -> None:
    seat = sit(desk)
    shown = desk.next(seat)
    assert shown is not None and shown.proposals == (FOUND,) and shown.labels.offered == 1
    finish(desk, seat, shown.image, offered=1)
    again = desk.show(seat)
    assert again.proposals == () and again.labels.boxes == (WINDOW,) and again.revision == 1


def test_a_file_that_cannot_be_read_is_shown_as_a_problem(desk: Desk) -> None:
    assert "not a readable image" in desk.go_to(sit(desk), "05.jpg").problem


def test_the_later_of_two_changes_is_refused(desk: Desk) -> None:
    anna, ben = sit(desk, by="anna"), sit(desk, by="ben")
    one, two = desk.go_to(anna, "03.jpg"), desk.go_to(ben, "03.jpg")
    desk.save(anna, one.labels, one.revision, 1, 1.0)
    with pytest.raises(ConflictError, match="anna changed"):
        desk.save(ben, two.labels, two.revision, 1, 1.0)


def test_other_images_of_the_vehicle_offer_their_boxes(desk: Desk) -> None:
    seat = sit(desk)
    desk.go_to(seat, "00.jpg")
    finish(desk, seat, "00.jpg")
    usual = desk.go_to(seat, "04.jpg").usual  # the same vehicle
    assert [box.corners for box in usual] == [WINDOW.corners]
    assert usual[0].source == "identity-mean"
    assert desk.go_to(seat, "01.jpg").usual == ()


def test_boxes_of_the_image_before(desk: Desk) -> None:
    seat = sit(desk)
    desk.next(seat)
    finish(desk, seat, "00.jpg")
    desk.next(seat)
    (copied,) = desk.previous_boxes(seat)
    assert copied.source == "copied" and copied.corners == WINDOW.corners


def test_review_shows_flagged_images_first(desk: Desk) -> None:
    seat = sit(desk, by="anna")
    for name in ("00.jpg", "01.jpg"):
        desk.go_to(seat, name)
        finish(desk, seat, name)
    desk.go_to(seat, "02.jpg")
    finish(desk, seat, "02.jpg", flag="blurred")
    desk.leave(seat)
    judge = sit(desk, by="ben", review=True)
    shown = desk.next(judge)
    assert shown is not None and shown.image == "02.jpg" and "blurred" in shown.reason
    reviewed = shown.labels.model_copy(update={"reviewed": "ben", "flag": ""})
    desk.save(judge, reviewed, shown.revision, 1, 1.0)
    left = []
    while (shown := desk.next(judge)) is not None:
        left.append(shown.image)
    assert left == ["00.jpg", "01.jpg"]


def test_own_labels_do_not_show_the_others(desk: Desk) -> None:
    seat = sit(desk, by="anna")
    desk.next(seat)
    finish(desk, seat, "00.jpg")
    apart = sit(desk, by="ben", layer="ben")
    shown = desk.next(apart)
    assert shown is not None and shown.image == "00.jpg" and shown.revision == 0


def test_another_layers_boxes_are_shown_beside(desk: Desk) -> None:
    ben = sit(desk, by="ben", layer="ben")
    desk.next(ben)
    finish(desk, ben, "00.jpg")
    shown = desk.go_to(sit(desk, by="anna", against="ben"), "00.jpg")
    assert shown.others == (WINDOW,) and shown.labels.boxes == ()
    assert desk.go_to(sit(desk, by="anna"), "00.jpg").others == ()


def test_training_starts_by_itself(images: Images, project: Project) -> None:
    stub = Stub()
    desk = Desk(images, project, stub, teaching=False, train_every=3)
    seat = sit(desk)
    for number in range(5):
        desk.next(seat)
        finish(desk, seat, f"{number:02d}.jpg")
    assert stub.trained == 1
    assert stub.looked[0] == "00.jpg"


def test_unknown_images_are_refused(desk: Desk) -> None:
    seat = sit(desk)
    with pytest.raises(InputError, match=r"no image 'x\.jpg'"):
        desk.go_to(seat, "x.jpg")
    with pytest.raises(InputError, match=r"no image '\.\./x\.jpg'"):
        desk.save(seat, ImageLabels(image="../x.jpg"), 0, 0, 0.0)


def test_labels_of_images_that_are_gone_are_named(images: Images, project: Project) -> None:
    project.save(ImageLabels(image="gone.jpg", boxes=(WINDOW,), state="done"), 0)
    assert Desk(images, project).gone == ["gone.jpg"]


def test_the_teaching_order_holds_every_image(images: Images, project: Project) -> None:
    desk = Desk(images, project, Stub())
    seat = sit(desk)
    shown = desk.next(seat)
    assert shown is not None and shown.reason
    assert len({shown.image, *desk.coming(seat, 50)}) == 12


class Slow(Stub):
    """A detector that looks at an image until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.looking, self.go_on = threading.Event(), threading.Event()

    def propose(self, image: str) -> list[DrawnBox]:
        if image == "00.jpg":
            self.looking.set()
            assert self.go_on.wait(20)
        return [FOUND]


def test_a_slow_detector_keeps_nobody_else_waiting(images: Images, project: Project) -> None:
    slow = Slow()
    desk = Desk(images, project, slow, teaching=False, train_every=1)
    anna, ben = sit(desk, by="anna"), sit(desk, by="ben")
    hers = threading.Thread(target=desk.next, args=(anna,))

    def work() -> None:
        shown = desk.next(ben)
        assert shown is not None and shown.image == "01.jpg"
        finish(desk, ben, "01.jpg")
        desk.leave(ben)

    his = threading.Thread(target=work)
    hers.start()
    assert slow.looking.wait(20)
    his.start()
    his.join(5)
    waited = his.is_alive()
    slow.go_on.set()
    hers.join()
    his.join()
    assert not waited and slow.trained == 1


class Broken(Stub):
    """A detector that can do nothing."""

    def propose(self, image: str) -> list[DrawnBox]:
        raise RuntimeError("out of memory")

    def train(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_broken_detector_is_no_obstacle(images: Images, project: Project) -> None:
    desk = Desk(images, project, Broken(), teaching=False, train_every=1)
    seat = sit(desk)
    shown = desk.next(seat)
    assert shown is not None and shown.proposals == () and not shown.problem
    finish(desk, seat, "00.jpg")  # although no training begins
    assert [labels.image for labels in project.finished()] == ["00.jpg"]


def test_the_last_image_can_be_gone_back_to(desk: Desk) -> None:
    seat = sit(desk, only=("02.jpg", "03.jpg"))
    for name in ("02.jpg", "03.jpg"):
        desk.next(seat)
        finish(desk, seat, name)
    assert desk.next(seat) is None and desk.next(seat) is None and seat.image is None
    back = [shown.image for _ in range(3) if (shown := desk.previous(seat))]
    assert back == ["03.jpg", "02.jpg"]


def test_own_labels_offer_no_boxes_of_the_others(desk: Desk) -> None:
    anna, ben = sit(desk, by="anna"), sit(desk, by="ben", layer="ben")
    desk.go_to(anna, "00.jpg")
    finish(desk, anna, "00.jpg")
    assert desk.go_to(anna, "04.jpg").usual  # the same vehicle
    assert desk.go_to(ben, "04.jpg").usual == ()
