from __future__ import annotations

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError

FILES = {
    "vric_train.txt": "a.jpg 1 4\nb.jpg 1 5\n",
    "vric_probe.txt": "p.jpg 2 4\n",
    "vric_gallery.txt": "p.jpg 2 7\n",
    "train_images/a.jpg": "",
    "train_images/b.jpg": "",
    "probe_images/p.jpg": "",
    "gallery_images/p.jpg": "",
}


def test_read(write, known) -> None:
    root = write(FILES)
    assert detect_dataset(root) == "vric"
    assert known(root) == {
        "train_images/a.jpg": {"identity": "1", "camera": "4", "split": "train"},
        "train_images/b.jpg": {"identity": "1", "camera": "5", "split": "train"},
        "probe_images/p.jpg": {"identity": "2", "camera": "4", "split": "query"},
        "gallery_images/p.jpg": {"identity": "2", "camera": "7", "split": "gallery"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.jpg 1\n", "line 1: 'a.jpg 1' is not an image, identity and camera"),
        ("a.jpg 1 4\nc.jpg 1 4\n", "line 2: .*train_images has no image 'c.jpg'.*qmul-vric"),
        ("a.jpg 1 4\na.jpg 2 4\n", "line 2: 'a.jpg' is there twice"),
    ],
)
def test_mistakes_name_file_and_line(write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"vric_train.txt: {message}"):
        read_images(write({**FILES, "vric_train.txt": text}))
