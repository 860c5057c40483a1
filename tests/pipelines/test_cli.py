import errno
import os
import shutil
import subprocess
import sys

import pytest

from annotations.errors import InputError
from annotations.images import Images
from pipelines.cli.main import main


def run(monkeypatch, *words):
    """Run the command in this process; return its exit status."""
    monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_help_imports_nothing_heavy():
    code = "import sys, pipelines.cli.main; print({'torch', 'pandas', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("parts",),
        ("gallery",),
        *[(name,) for name in ("train", "eval", "compare", "search", "demo")],
    ],
)
def test_every_command_explains_itself(monkeypatch, capsys, words):
    assert run(monkeypatch, *words, "--help") == 0
    assert "Usage:" in capsys.readouterr().out


def empty(folder):
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "prn-smal", "{data}", "{tmp}/run"), "did you mean 'prn-small'"),
        (("train", "prn-small", "{tmp}/nowhere", "{tmp}/run"), "nowhere: no such"),
        (("train", "prn-small", "{empty}", "{tmp}/run"), "no image in it"),
        (
            ("train", "prn-small", "{data}", "{tmp}/run", "--set", "epoch=3"),
            "did you mean 'epochs'",
        ),
        (("eval", "{empty}", "{data}"), "no trained model in it"),
        (("eval", "{empty}", "{data}", "--branches", "part"), "did you mean 'parts'"),
        (("parts", "train", "{empty}", "{tmp}/d"), "not a labelled set"),
        (
            ("parts", "train", "{data}/labels", "{tmp}/d", "--set", "epoch=3"),
            "did you mean 'epochs'",
        ),
        (("parts", "train", "{data}/labels", "{data}/labels-eia", "{tmp}/d"), "one vocabulary"),
        (("parts", "train", "{data}/labels", "{data}/labels-eia"), "the last folder named"),
        (("parts", "detect", "{empty}", "{data}", "{tmp}/b"), "not a trained detector"),
        (("parts", "check", "{tmp}/none.json"), "none.json"),
        (("parts", "import", "{tmp}/none.json", "{tmp}/l", "--mapping", "x"), "x"),
        (("parts", "vocabulary", "prm"), "did you mean 'prn'"),
        (
            ("gallery", "add", "{tmp}/g", "{data}", "--run", "{empty}"),
            "no trained model",
        ),
        (("search", "{data}", "--gallery", "{empty}"), "not a gallery"),
        (("detect-parts", "--data", "{data}", "--work", "{tmp}/w"), "needs a detector"),
        (("train-reid", "--data", "{data}", "--work", "{tmp}/w"), "run 'make detect-parts"),
        (("retrieve", "--queries", "{data}", "--work", "{tmp}/w"), "give both"),
        (("retrieve", "--queries", "{data}", "--gallery", "{data}"), "give --data"),
        (("detect-parts", "--labels", "{data}/labels", "--work", "{tmp}/w"), "give --data"),
        (("train", "prn-small", "{data}", "{tmp}/r", "--set", "epochs=["), "not YAML"),
        (("train", "prn-demo", "{data}", "{tmp}/r", "--device", "gpu9"), "no device 'gpu9'"),
        (
            ("train", "prn-small", "{data}", "{tmp}/r", "--set", "backbone.weights=x.pt"),
            "no such w",
        ),
        (("parts", "train", "{data}/labels", "{tmp}/d", "--set", "weights=no.pt"), "no.pt"),
        (("parts", "draw", "{data}/labels", "{other}", "{tmp}/x.png"), "no image in it"),
        (("fleet", "{other}"), "holds something else"),
        (("fleet", "{tmp}/f", "--preset", "tinny"), "did you mean 'tiny'"),
    ],
)
def test_a_mistake_is_one_line(monkeypatch, capsys, tmp_path, fleet, words, message):
    other = empty(tmp_path / "other")
    (other / "thesis.doc").write_text("mine")
    places = {"tmp": tmp_path, "data": fleet, "empty": empty(tmp_path / "empty"), "other": other}
    assert run(monkeypatch, *[word.format(**places) for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_failed_start_leaves_the_folder_free(monkeypatch, capsys, tmp_path, fleet):
    wrong = ("parts", "train", fleet / "labels", tmp_path / "d", "--set", "weights=no.pt")
    assert run(monkeypatch, *wrong) == 2
    assert not (tmp_path / "d").exists()
    wrong = ("train", "prn-demo", fleet, tmp_path / "r", "--set", "backbone.weights=no.pt")
    assert run(monkeypatch, *wrong) == 2
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("option", [None, True, False])
def test_evaluation_is_asked_to_mirror(monkeypatch, tmp_path, option):
    asked = []
    monkeypatch.setattr("pipelines.jobs.evaluation.evaluate", lambda *given: asked.append(given[7]))
    words = {None: (), True: ("--mirror",), False: ("--no-mirror",)}[option]
    assert run(monkeypatch, "eval", tmp_path, tmp_path, *words) == 0
    assert asked[0].mirror is option


def test_ctrl_c_says_that_work_goes_on(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.jobs.network.show_recipes", interrupted)
    assert run(monkeypatch, "recipes") == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_what_the_system_refuses_is_one_line(monkeypatch, capsys):
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere/x.part")

    monkeypatch.setattr("pipelines.jobs.network.show_recipes", full)
    assert run(monkeypatch, "recipes") == 1
    error = capsys.readouterr().err
    assert error == "error: somewhere/x.part: No space left on device\n"


def test_two_data_sets_of_one_name_do_not_share_a_folder(monkeypatch, capsys, tmp_path, fleet):
    from pipelines.jobs.whole import Job

    Job.on(fleet, tmp_path / "w")
    other = tmp_path / fleet.name
    other.symlink_to(fleet / "images")
    words = ("train-reid", "--data", other, "--work", tmp_path / "w")
    (tmp_path / "w" / "images").mkdir()
    (tmp_path / "w" / "images" / "data.txt").write_text("elsewhere")
    assert run(monkeypatch, *words) == 2
    assert "another data set" in capsys.readouterr().err


def test_a_table_of_the_same_images_is_the_same_data_set(tmp_path, fleet):
    from pipelines.jobs.find_views import find_views
    from pipelines.jobs.whole import Job

    root, work = tmp_path / "mine", tmp_path / "runs"
    shutil.copytree(fleet / "images", root)
    images = Images.read(fleet / "images.parquet")
    frame = images.frame.drop(columns="viewpoint", errors="ignore")
    Images(frame, root).write(root / "images.csv")
    # What is refused leaves no folder behind.
    with pytest.raises(InputError, match="have no 'viewpoint'"):
        find_views(root, None, [], False, work, "cpu")
    assert not work.exists()
    job = Job.on(root, work)
    viewpoints = ["front", "rear"] * len(frame)
    filled = frame.assign(viewpoint=viewpoints[: len(frame)], viewpoint_score=0.5)
    Images(filled.sample(frac=1, random_state=0), root).write(root / "labelled.parquet")
    again = Job.on(root / "labelled.parquet", work)
    assert (again.root, again.folder) == (root / "labelled.parquet", job.folder)
    assert Job.on(root, work).folder == job.folder
    other = frame.assign(identity=frame["identity"].iloc[::-1].to_numpy())
    for number, wrong in enumerate((frame.iloc[1:], other)):
        table = root / f"wrong-{number}.csv"
        Images(wrong, root).write(table)
        with pytest.raises(InputError, match="belongs to another data set"):
            Job.on(table, work)


def test_vocabularies_and_recipes_are_listed(monkeypatch, capsys):
    assert run(monkeypatch, "parts", "vocabulary") == 0
    shown = capsys.readouterr().out
    assert "window" in shown
    assert "back mirror" in shown
    assert run(monkeypatch, "recipes") == 0
    assert "prn-small" in capsys.readouterr().out
