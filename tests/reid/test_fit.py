import json
import time

import lightning
import pandas as pd
import pytest
import torch
from PIL import Image

import reid.training.fit as fitting
from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from pipelines.recipes import RECIPES, load_recipe
from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.embedding import embed
from reid.evaluation.report import evaluate
from reid.methods import build_criterion, build_model
from reid.parts.located import Located
from reid.run import Run
from reid.training.fit import fit, prepare
from reid.training.module import Training
from reid.training.rate import rate_at
from reid.training.schedule import out_of_reach
from reid.training.work import read_seconds


def quiet_fit(recipe, images, boxes, out, **more):
    return fit(recipe, images, boxes, out, device="cpu", workers=0, progress=False, **more)


def test_training_lowers_the_loss_and_leaves_a_run(crops, part_boxes, tiny_recipe, tmp_path):
    recipe = tiny_recipe.model_copy(update={"epochs": 12})
    run = quiet_fit(recipe, crops, part_boxes, tmp_path / "run")
    log = pd.read_csv(tmp_path / "run/csv/version_0/metrics.csv")["loss"].dropna()
    assert log.iloc[-1] < 0.7 * log.iloc[0]
    assert run.identities == ("0", "1", "2", "3")
    for name in ("recipe.yaml", "notes.txt", "model.pt", "tensorboard", "checkpoints/last.ckpt"):
        assert (tmp_path / "run" / name).exists()
    again = Run.load(tmp_path / "run")
    assert again.recipe == recipe
    assert again.hash == run.hash
    first, second = embed(run, crops, progress=False), embed(again, crops, progress=False)
    torch.testing.assert_close(torch.tensor(first.vectors), torch.tensor(second.vectors))
    scored = evaluate(run, crops, progress=False, device="cpu")
    assert scored.table.set_index("metric").loc["rank-1", "value"] >= 0.5
    assert "4 queries, 4 gallery images" in scored.protocol
    scored.write(tmp_path / "eval")
    assert json.loads((tmp_path / "eval/metrics.json").read_text())["metrics"]["mAP"][0] > 0


@pytest.mark.parametrize("average", [0.0, 0.8])
def test_a_stopped_training_goes_on_and_ends_the_same(
    crops, part_boxes, tiny_recipe, tmp_path, monkeypatch, average
):
    optimiser = tiny_recipe.optimiser.model_copy(update={"average": average})
    tiny_recipe = tiny_recipe.model_copy(update={"optimiser": optimiser})
    whole = quiet_fit(tiny_recipe, crops, part_boxes, tmp_path / "whole")

    class KilledError(Exception):
        pass

    class Stop(Training):
        def on_train_epoch_start(self):
            if self.current_epoch == 2:
                raise KilledError

    monkeypatch.setattr(fitting, "Training", Stop)
    with pytest.raises(KilledError):
        quiet_fit(tiny_recipe, crops, part_boxes, tmp_path / "run")
    with pytest.raises(InputError, match="has not finished"):
        Run.load(tmp_path / "run")
    monkeypatch.setattr(fitting, "Training", Training)
    epochs = []
    monkeypatch.setattr(
        Training, "on_train_epoch_start", lambda self: epochs.append(self.current_epoch)
    )
    run = quiet_fit(tiny_recipe, crops, part_boxes, tmp_path / "run")
    assert epochs == [2]
    for left, right in zip(run.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("iterations", [None, 3])
def test_a_training_stopped_behind_its_last_checkpoint_keeps_the_average(
    crops, part_boxes, tiny_recipe, tmp_path, monkeypatch, iterations
):
    optimiser = tiny_recipe.optimiser.model_copy(update={"average": 0.8})
    changes = {"optimiser": optimiser, "epochs": 2, "iterations": iterations}
    recipe = tiny_recipe.model_copy(update=changes)
    whole = quiet_fit(recipe, crops, part_boxes, tmp_path / "run")
    (tmp_path / "run" / "model.pt").unlink()  # as if it had been killed before it was written
    monkeypatch.setattr(Training, "training_step", lambda *_: pytest.fail("trained again"))
    again = quiet_fit(recipe, crops, part_boxes, tmp_path / "run")
    for left, right in zip(
        again.model.state_dict().values(), whole.model.state_dict().values(), strict=True
    ):
        assert torch.equal(left, right)


def test_what_it_took_is_written_down_over_all_goings_on(crops, part_boxes, tiny_recipe, tmp_path):
    recipe = tiny_recipe.model_copy(update={"epochs": 1})
    out = tmp_path / "run"
    started = time.monotonic()
    quiet_fit(recipe, crops, part_boxes, out)
    assert 0 < read_seconds(out) < time.monotonic() - started
    last = out / "checkpoints" / "last.ckpt"
    stored = torch.load(last, weights_only=False)
    for clock, expected in (({"train": 1000.0}, 1000.0), (None, None)):
        stored["callbacks"].pop("Timer", None)
        if clock:
            stored["callbacks"]["Timer"] = {"time_elapsed": clock}
        torch.save(stored, last)
        for name in ("model.pt", "seconds.txt"):
            (out / name).unlink(missing_ok=True)
        quiet_fit(recipe, crops, part_boxes, out)
        assert read_seconds(out) == pytest.approx(expected, abs=60)
    (out / "seconds.txt").write_text("a while")
    with pytest.raises(InputError, match=r"seconds.txt: is not a number"):
        read_seconds(out)


def test_a_finished_run_is_only_loaded(crops, part_boxes, tiny_recipe, tmp_path, monkeypatch):
    recipe = tiny_recipe.model_copy(update={"epochs": 1})
    first = quiet_fit(recipe, crops, part_boxes, tmp_path / "run")
    monkeypatch.setattr(lightning.Trainer, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert quiet_fit(recipe, crops, part_boxes, tmp_path / "run").hash == first.hash


def test_another_recipe_or_other_boxes_in_the_same_folder_are_refused(
    crops, part_boxes, tiny_recipe, tmp_path
):
    recipe = tiny_recipe.model_copy(update={"epochs": 1})
    quiet_fit(recipe, crops, part_boxes, tmp_path / "run")
    with pytest.raises(InputError, match="run of another recipe"):
        quiet_fit(tiny_recipe, crops, part_boxes, tmp_path / "run")
    fewer = Boxes(part_boxes.frame.iloc[1:])
    with pytest.raises(InputError, match="run of another boxes"):
        quiet_fit(recipe, crops, fewer, tmp_path / "run")
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="not a run"):
        quiet_fit(recipe, crops, part_boxes, other)


def test_other_start_weights_under_the_same_name_are_refused(
    crops, part_boxes, tiny_recipe, tmp_path
):
    start, out = tmp_path / "start.pth", tmp_path / "run"

    def write(seed):
        torch.manual_seed(seed)
        torch.save(Backbone("resnet18", None, 16).network.state_dict(), start)

    write(0)
    settings = tiny_recipe.backbone.model_copy(update={"weights": str(start)})
    recipe = tiny_recipe.model_copy(update={"epochs": 1, "backbone": settings})
    first = quiet_fit(recipe, crops, part_boxes, out)
    write(1)
    with pytest.raises(InputError, match="run of another start weights"):
        quiet_fit(recipe, crops, part_boxes, out)
    start.unlink()  # nothing says that it was another
    assert quiet_fit(recipe, crops, part_boxes, out).hash == first.hash
    write(1)
    work = json.loads((out / "work.json").read_text())
    del work["start weights"]  # as earlier versions wrote it
    (out / "work.json").write_text(json.dumps(work))
    assert quiet_fit(recipe, crops, part_boxes, out).hash == first.hash


def test_the_same_seed_gives_the_same_network(crops, part_boxes, tiny_recipe, tmp_path):
    recipe = tiny_recipe.model_copy(update={"epochs": 1})
    runs = [quiet_fit(recipe, crops, part_boxes, tmp_path / name) for name in "ab"]
    for left, right in zip(*(run.model.parameters() for run in runs), strict=True):
        assert torch.equal(left, right)


def with_part(boxes, name):
    return Boxes(boxes.frame[boxes.frame["part"] != name])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda i, b: (i.where(i.frame["identity"] == "0"), b), "needs two identities"),
        (lambda i, b: (Images(i.frame.assign(identity=None), i.root), b), "have no 'identity'"),
        (lambda i, b: (i, None), "looks at parts: give --boxes"),
        (lambda i, b: (i, with_part(b, "brand")), "no box of 'brand'"),
        (lambda i, b: (i, Boxes(b.frame.assign(image="other.jpg"))), "another data set"),
        (lambda i, b: (Images(i.frame, i.root / "gone"), b), "image files are missing"),
        (lambda i, b: (i.where(i.frame["identity"].isin(["0", "1"])), b), "set batch.size smaller"),
    ],
)
def test_what_is_wrong_is_said_before_training(crops, part_boxes, tiny_recipe, spoil, words):
    images, boxes = spoil(crops, part_boxes)
    with pytest.raises(InputError, match=words):
        prepare(tiny_recipe, images, boxes, progress=False)


def test_unreadable_images_are_left_out_and_noted(crops, part_boxes, tiny_recipe):
    files = crops.split("train").paths
    files[0].write_text("not an image")
    Image.new("RGB", (1, 1)).save(files[1])
    files[2].write_bytes(files[2].read_bytes()[:-40])
    prepared = prepare(tiny_recipe, crops, part_boxes, progress=False)
    assert len(prepared.samples) == len(files) - 3
    noted = "\n".join(prepared.notes)
    for path in files[:3]:
        assert str(path) in noted
    assert "1 of 4 identities have one image" in noted


def test_embedding_skips_what_cannot_be_read(crops, part_boxes, tiny_recipe, tmp_path):
    run = quiet_fit(tiny_recipe.model_copy(update={"epochs": 1}), crops, part_boxes, tmp_path / "r")
    crops.paths[3].write_text("broken")
    made = embed(
        run,
        crops,
        part_boxes,
        branches="global+parts",
        progress=False,
        batch=5,
        precision="float32",
    )
    assert made.vectors.shape == (len(crops) - 1, 16 + 3 * 512)
    assert len(made.problems) == 1
    assert crops.frame["image"][3] not in set(made.images.frame["image"])
    alone = embed(
        run,
        crops,
        part_boxes,
        branches="global+parts",
        progress=False,
        batch=1,
        precision="float32",
    )
    torch.testing.assert_close(
        torch.tensor(made.vectors), torch.tensor(alone.vectors), rtol=1e-3, atol=1e-4
    )
    with pytest.raises(InputError, match="looks at parts: give --boxes"):
        embed(run, crops, branches="parts", progress=False)


def test_test_boxes_filled_by_identity_are_refused(crops, part_boxes, tiny_recipe, tmp_path):
    run = quiet_fit(tiny_recipe.model_copy(update={"epochs": 1}), crops, part_boxes, tmp_path / "r")
    filled = Boxes(part_boxes.frame.assign(source="identity-mean"))
    with pytest.raises(InputError, match="tells the answer"):
        evaluate(run, crops, filled, branches="parts", progress=False)
    with pytest.raises(InputError, match="tells the answer"):
        embed(run, crops, filled, branches="global+parts", progress=False)


def test_a_damaged_or_foreign_model_is_named(tmp_path):
    with pytest.raises(InputError, match="make one with 'partreid train'"):
        Run.load(tmp_path)
    (tmp_path / "model.pt").write_bytes(b"half a model")
    with pytest.raises(InputError, match="damaged"):
        Run.load(tmp_path)


def test_weights_of_another_recipe_are_named(crops, part_boxes, tiny_recipe, tmp_path):
    quiet_fit(tiny_recipe.model_copy(update={"epochs": 1}), crops, part_boxes, tmp_path / "r")
    path = tmp_path / "r" / "model.pt"
    stored = torch.load(path, weights_only=True)
    stored["recipe"]["dimension"] = 32
    torch.save(stored, path)
    with pytest.raises(InputError, match="of another recipe"):
        Run.load(tmp_path / "r")


def test_the_rate_decays_exponentially_after_a_linear_warm_up():
    assert rate_at(0, 100, 0, 0.01) == 1.0
    assert rate_at(100, 100, 0, 0.01) == pytest.approx(0.01)
    ratios = [rate_at(step + 1, 100, 0, 0.01) / rate_at(step, 100, 0, 0.01) for step in range(99)]
    assert max(ratios) - min(ratios) < 1e-9
    assert rate_at(0, 100, 10, 1.0) == pytest.approx(0.1)
    assert rate_at(9, 100, 10, 1.0) == 1.0


def test_the_rate_drops_after_every_so_many_steps():
    rates = [rate_at(step, 1000, 0, 0.01, 10) for step in (0, 9, 10, 19, 20)]
    assert rates == pytest.approx([1, 1, 0.01, 0.01, 0.0001])


def test_the_rate_drops_after_epochs_or_falls_along_a_cosine():
    rates = [rate_at(step, 90, 0, 0.1, None, (30, 60)) for step in (0, 29, 30, 59, 60, 89)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    falling = [rate_at(step, 90, 0, 0.1, cosine=True) for step in range(91)]
    assert (falling[0], falling[45], falling[90]) == pytest.approx((1, 0.55, 0.1))
    assert falling == sorted(falling, reverse=True)
    assert rate_at(4, 90, 10, 0.1, cosine=True) < 0.51


def shortened(recipe, optimiser, **more):
    optimiser = recipe.optimiser.model_copy(update=optimiser)
    return recipe.model_copy(update={"optimiser": optimiser, **more})


@pytest.mark.parametrize(
    ("optimiser", "more", "said"),
    [
        ({"warmup": 10.0}, {}, ["warmup 10 is not over within 5 epochs; lower it"]),
        ({"warmup": 5.0}, {}, []),
        ({"warmup": 2.5}, {"epochs": 1}, ["warmup 2.5 is not over within 1 epoch; lower it"]),
        ({"drop_after": (4, 5, 9)}, {}, ["drop_after 5 and 9 is not reached within 5 epochs"]),
        ({"drop_after": (2, 4)}, {}, []),
        (
            {"drop_every": 10},
            {},
            ["drop_every 10 is not reached within the 10 batches of 5 epochs"],
        ),
        ({"drop_every": 9}, {}, []),
        ({"warmup": 2.0}, {"iterations": 3}, ["warmup 2 is not over within 3 iterations (1.5 ep"]),
        ({"warmup": 1.5}, {"iterations": 3}, []),
    ],
)
def test_a_schedule_that_a_short_training_does_not_reach_is_told(
    tiny_recipe, optimiser, more, said
):
    found = out_of_reach(shortened(tiny_recipe, optimiser, **{"epochs": 5, **more}), batches=2)
    assert len(found) == len(said)
    assert all(words in line for words, line in zip(said, found, strict=True))


def test_what_is_out_of_reach_is_logged_and_noted_once(
    crops, part_boxes, tiny_recipe, tmp_path, caplog
):
    recipe = shortened(tiny_recipe, {"warmup": 10.0}, epochs=1)
    caplog.set_level("INFO", "reid.training.fit")
    quiet_fit(recipe, crops, part_boxes, tmp_path / "run")
    line = "optimiser.warmup 10 is not over within 1 epoch; lower it"
    assert caplog.messages.count(line) == 1
    assert (tmp_path / "run" / "notes.txt").read_text().splitlines().count(line) == 1


def test_no_recipe_is_too_short_for_its_schedule():
    for name in RECIPES:
        assert not out_of_reach(load_recipe(name), batches=300)


def test_the_loss_has_the_terms_that_the_recipe_asks_for(tiny_recipe):
    model, criterion = build_model(tiny_recipe, 4, start=False), build_criterion(tiny_recipe)
    pixels = torch.randint(0, 255, (8, 3, 32, 32), dtype=torch.uint8)
    boxes = torch.tensor([[[0.0, 0.0, 1.0, 1.0]]]).expand(8, 1, 4)
    where = Located.by_boxes(boxes, torch.zeros(8, 1).long())
    labels = torch.arange(8) // 2
    batch = Batch(pixels, where, labels, labels)
    terms = criterion(model(pixels, where), batch)
    assert set(terms) == {"global", "parts", "triplet"}
    vectors = model(pixels, where).vectors.embedding.detach()
    terms = criterion(model(pixels, where), batch)
    vectors = model.describe(pixels, where).embedding
    apart = torch.cdist(vectors, vectors)
    same = labels[:, None] == labels
    hardest = apart.where(same, torch.tensor(0.0)).amax(1)
    nearest = apart.where(~same, torch.tensor(torch.inf)).amin(1)
    hinge = (hardest - nearest + tiny_recipe.loss.margin).clamp(min=0)
    expected = hinge[hinge > 0].mean() if (hinge > 0).any() else torch.tensor(0.0)
    torch.testing.assert_close(terms["triplet"], expected, rtol=1e-3, atol=1e-3)


def test_a_training_can_start_from_the_backbone_of_a_run(crops, part_boxes, tiny_recipe, tmp_path):
    run = quiet_fit(tiny_recipe, crops, part_boxes, tmp_path / "run")
    learned = run.model.backbone.state_dict()
    for place in (run.source, run.source / "model.pt"):
        started = Backbone(
            tiny_recipe.backbone.name, str(place), tiny_recipe.backbone.output_stride
        ).state_dict()
        assert all(torch.equal(started[name], learned[name]) for name in learned)
    with pytest.raises(InputError, match=r"model.pt: .* tensors of the backbone are missing"):
        Backbone("resnet34", str(run.source))
    with pytest.raises(InputError, match=r"model.pt: no such weights"):
        Backbone("resnet18", str(tmp_path))
