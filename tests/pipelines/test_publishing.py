"""A gallery published from the command line, and searched on the server."""

import sys

import pandas as pd
import pytest

from pipelines.cli.main import main
from reid.retrieval.milvus.address import TOKEN
from tests.pipelines.conftest import paint
from tests.reid.retrieval.milvus.conftest import milvus  # noqa: F401


@pytest.fixture
def say(monkeypatch, capsys):
    """Run a command; return its status, and what it printed and complained of."""

    def run_it(*words):
        monkeypatch.setattr(sys, "argv", ["partreid", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run_it


def test_publishing_and_searching(tmp_path, folder, run, milvus, say, monkeypatch):  # noqa: F811
    monkeypatch.setenv(TOKEN, "root:hidden")
    place = tmp_path / "the yard"
    added = ["gallery", "add", place, folder, "--run", run.source, "--device", "cpu"]
    assert not say(*added)[0]
    code, out, _ = say("gallery", "publish", place, "--store", milvus)
    assert not code and "6 images copied; index FLAT" in out
    assert f"--store {milvus}/the_yard" in out
    paint(folder / "v0" / "c0" / "new.png", 30)
    (folder / "v1" / "c1" / "1.png").unlink()
    assert not say(*added)[0]
    code, out, _ = say("gallery", "publish", place, "--store", f"{milvus}/the_yard")
    assert "1 images copied, 5 there already, 1 taken out" in out

    found = {}
    for name, where in {"there": ["--store", f"{milvus}/the_yard"],
                        "here": ["--gallery", place]}.items():  # fmt: skip
        asked = ["--top", "3", "--where", "camera=c0", "--group", "identity", "--cross-camera"]
        code, out, err = say("search", folder, *where, "--out", tmp_path / name, *asked,
                             "--device", "cpu")  # fmt: skip
        assert not code, err
        assert "hidden" not in out + err
        found[name] = pd.read_csv(tmp_path / name / "results.csv")
        assert (tmp_path / name / "results.html").read_text().count("data:image/jpeg") > 6
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / name / "results.parquet")[["query", "image"]].astype(str),
            pd.read_json(tmp_path / name / "results.jsonl", lines=True)[["query", "image"]].astype(
                str
            ),
        )
    pd.testing.assert_frame_equal(
        found["there"].drop(columns="gallery"), found["here"].drop(columns="gallery"), atol=1e-5
    )
    assert (found["there"]["gallery"] == str(place.resolve())).all()


def test_what_is_refused(tmp_path, folder, run, say):
    place = tmp_path / "yard"
    assert not say("gallery", "add", place, folder, "--run", run.source, "--device", "cpu")[0]
    for words, said in [
        (["search", folder], "say where to search: --gallery FOLDER"),
        (["search", folder, "--gallery", place, "--store", "milvus://h"], "say where to search"),
        (["search", folder, "--store", "milvus://127.0.0.1:9/yard"], "no Milvus server answers"),
        (["gallery", "publish", place, "--store", "milvus://127.0.0.1:9"],
         "milvus://127.0.0.1:9/yard: no Milvus server answers"),
        (["gallery", "publish", place, "--store", "milvus://h", "--index", "hsnw"],
         "no index 'hsnw'; did you mean 'hnsw'"),
        (["gallery", "publish", place, "--store", "milvus://me:hidden@h"], "PARTREID_STORE_TOKEN"),
    ]:  # fmt: skip
        code, out, err = say(*words)
        assert code == 2 and said in " ".join(err.split())
        assert "hidden" not in out + err
