from __future__ import annotations

import pytest

from annotations.datasets import detect_dataset, read_images
from annotations.errors import InputError


def test_in_a_folder_or_alone(write, known) -> None:
    root = write(["a.jpg", "deep/b.jpg"])
    path = root / "images.csv"
    path.write_text("image,identity,camera\na.jpg,007,c1\ndeep/b.jpg,007,c2\n")
    assert detect_dataset(root) == detect_dataset(path) == "table"
    assert known(root) == known(path)
    assert known(path)["a.jpg"] == {"identity": "007", "camera": "c1"}
    read_images(root).write(root / "images.parquet")
    assert known(root) == known(path)
    (root / "a.jpg").unlink()
    with pytest.raises(InputError, match="1 of 2 image files are missing"):
        read_images(root)


def test_make_type_and_box_are_checked(write, known) -> None:
    csv = "image,make,type,left,top,right,bottom,split\na.jpg,07,suv,0,1.5,20,,test\n"
    root = write({"a.jpg": "", "images.csv": csv})
    assert known(root)["a.jpg"] == {
        "make": "07", "type": "suv", "left": 0.0, "top": 1.5, "right": 20.0, "split": "test",
    }  # fmt: skip
    write({"images.csv": csv.replace("1.5", "high")})
    with pytest.raises(InputError, match=r"images.csv: row 2 .*'top' is not a number"):
        read_images(root)
    write({"images.csv": csv.replace("test", "tset")})
    with pytest.raises(InputError, match=r"row 2 .*did you mean 'test'"):
        read_images(root)


def test_columns_called_nearly_as_ours_are_told(write, known, caplog) -> None:
    csv = "image,Camera,color,CoLoUr2,track\na.jpg,c1,red,x,7\n"
    root = write({"a.jpg": "", "images.csv": csv})
    assert known(root)["a.jpg"] == {"Camera": "c1", "color": "red", "CoLoUr2": "x", "track": "7"}
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"{root / 'images.csv'}: column 'Camera' is kept as one of your own; if it is the camera, "
        "call it 'camera'",
        f"{root / 'images.csv'}: column 'color' is kept as one of your own; if it is the colour, "
        "call it 'colour'",
    ]
    caplog.clear()
    write({"images.csv": "image, identity,Color,colour\na.jpg,1,red,blue\n"})
    read_images(root)
    assert [record.getMessage().split("'")[1] for record in caplog.records] == [" identity"]


@pytest.mark.parametrize(("mark", "words"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_marks_than_commas_are_told(write, mark, words) -> None:
    csv = "image,identity,camera\na.jpg,7,c1\n".replace(",", mark)
    root = write({"a.jpg": "", "images.csv": csv})
    with pytest.raises(InputError, match=rf"images.csv: its heading .* {words}; .* by commas"):
        read_images(root)


def test_only_columns_of_the_file_are_named(write) -> None:
    root = write({"images.csv": "picture,kind\na.jpg,7\n"})
    with pytest.raises(InputError, match=r"'image' is missing \(columns there: picture, kind\)"):
        read_images(root)
