"""What a run leaves for people."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.support.annotated_data import write_images, write_videos
from tests.support.small_recipes import small_recipe, write_plain_images

from masklet.errors import InvalidInputError
from masklet.evaluation.annotated_data import dataset_name
from masklet.media.images import read_image
from masklet.processing.processor import Sam2Processor
from masklet.tracking.video_model import Sam2VideoModel
from masklet.training.reports.html_report import MOST_POINTS, HtmlReport, curve_svg
from masklet.training.reports.measurements import MEASUREMENTS, BeforeAndAfter, Measurement, read_measurements
from masklet.training.reports.predictions import (
    GAP,
    Predictions,
    clip_sheet,
    prediction_images,
    predictions_sheet,
    sample_batch,
    sample_clips,
)
from masklet.training.reports.processor_settings import ProcessorSettings
from masklet.training.reports.step_log import STEP_LOG, StepLog, read_steps
from masklet.training.reports.tensorboard_curves import CURVES_FOLDER, TensorBoardCurves
from masklet.training.run.observer import RunOutline
from masklet.training.run.run_state import AVERAGE_FOLDER
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage
from masklet.training.supply.data_source import open_training_data


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return small_recipe(write_plain_images(tmp_path / "images"))


def outline(recipe: Recipe, folder: Path, first_step: int = 0) -> RunOutline:
    folder.mkdir(exist_ok=True)
    return RunOutline(
        recipe, open_training_data(recipe), folder, first_step, "a <small> machine", recipe.initial_weights
    )


def test_the_log_has_a_line_a_step(recipe: Recipe, tmp_path: Path) -> None:
    log = StepLog()
    log.began(outline(recipe, tmp_path / "run"))
    log.stepped(1, {"total": 0.5, "learning_rate": 1e-3})
    log.stepped(2, {"total": float("nan")})
    first, second = (json.loads(line) for line in (tmp_path / "run" / STEP_LOG).read_text().splitlines())
    assert (first["step"], first["total"], first["learning_rate"]) == (1, 0.5, 1e-3)
    assert first["time"].endswith("+00:00")
    assert (second["step"], second["total"]) == (2, None)


def test_a_run_that_goes_on_drops_the_lines_of_steps_made_again(recipe: Recipe, tmp_path: Path) -> None:
    log = StepLog()
    log.began(outline(recipe, tmp_path / "run"))
    for step in (1, 2, 3):
        log.stepped(step, {"total": float(step)})
    with log.path.open("a") as file:
        file.write('{"step": 4, "tot')  # killed in the middle of a line
    log.began(outline(recipe, tmp_path / "run", first_step=2))
    log.stepped(3, {"total": 30.0})
    assert [(line["step"], line["total"]) for line in read_steps(tmp_path / "run")] == [(1, 1.0), (2, 2.0), (3, 30.0)]


def test_curves_go_from_end_to_end() -> None:
    svg = curve_svg("a < b", [1, 2, 3], [2.0, 8.0, 5.0])
    assert "a &lt; b" in svg
    assert '<polyline points="58.0,166.0 234.0,26.0 410.0,96.0"' in svg
    assert ">8<" in svg
    assert ">2<" in svg
    long = curve_svg("long", range(10_000), [float(step % 7) for step in range(10_000)])
    line = long.split('<polyline points="')[1].split('"')[0]
    assert len(line.split()) == MOST_POINTS
    assert "nan" not in curve_svg("one", [5], [1.0])


def test_images_show_image_truth_and_prediction(recipe: Recipe) -> None:
    batch = sample_batch(open_training_data(recipe))
    size = batch.pixel_values.shape[-1]
    model = Sam2VideoModel(recipe.model).eval()
    model.resize(size)
    sheet = predictions_sheet(model, batch)
    count = len(batch.valid)
    assert sheet.shape == (count * size + (count - 1) * GAP, 3 * size + 2 * GAP, 3)
    np.testing.assert_array_equal(sheet[:size, :size], batch.pixel_values[0].permute(1, 2, 0))
    assert (sheet[:size, size + GAP : 2 * size + GAP] != sheet[:size, :size]).any()


@pytest.fixture
def clip_recipe(recipe: Recipe) -> Recipe:
    return replace(recipe, stages=(*recipe.stages, ClipStage(64, 1, 1, 2, clip_length=3, objects_per_clip=1)))


def test_a_clip_is_followed_below_the_images_of_a_recipe_on_clips(clip_recipe: Recipe, tmp_path: Path) -> None:
    batch = sample_clips(open_training_data(clip_recipe))
    assert batch is not None
    model = Sam2VideoModel(clip_recipe.model).eval()
    model.resize(64)
    strip = clip_sheet(model, batch)
    assert strip.shape == (2 * 32 + GAP, 3 * 32 + 2 * GAP, 3)
    ground_truth, predicted = strip[:32], strip[32 + GAP :]
    np.testing.assert_array_equal(ground_truth[:, :32], predicted[:, :32])  # the prompt
    assert (ground_truth[:, -32:] != predicted[:, -32:]).any()
    second = cv2.resize(batch.clips[0].pixel_values[1].permute(1, 2, 0).numpy(), (32, 32), interpolation=cv2.INTER_AREA)
    off = ~batch.clips[0].masks[1].any(0)[::2, ::2].numpy()
    assert np.median(np.abs(ground_truth[:, 32 + GAP : 64 + GAP].astype(int) - second)[off]) == 0
    images = Predictions()
    images.began(outline(clip_recipe, tmp_path / "run"))
    images.saved(1, model)
    assert read_image(prediction_images(tmp_path / "run")[0]).size == (3 * 64 + 2 * GAP, 64 + GAP + 2 * 32 + GAP)


def test_a_recipe_on_images_shows_no_clip(recipe: Recipe) -> None:
    assert sample_clips(open_training_data(recipe)) is None


def test_tensorboard_shows_curves_and_the_newest_image(recipe: Recipe, tmp_path: Path) -> None:
    run = outline(recipe, tmp_path / "run")
    model = Sam2VideoModel(recipe.model).eval()
    images, curves = Predictions(), TensorBoardCurves()
    for observer in (images, curves):
        observer.began(run)
    curves.stepped(7, {"total": 0.5})
    for observer in (images, curves):
        observer.saved(7, model)
    curves.finished()
    (events,) = (run.folder / CURVES_FOLDER).glob("events*")
    shown = EventAccumulator(str(events), size_guidance={"images": 0}).Reload()
    assert [(each.step, each.value) for each in shown.Scalars("total")] == [(7, 0.5)]
    (image,) = shown.Images("predictions")
    decoded = cv2.imdecode(np.frombuffer(image.encoded_image_string, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image.step == 7
    np.testing.assert_array_equal(decoded, np.array(read_image(prediction_images(run.folder)[0])))
    assert decoded.shape == (96, 3 * 96 + 2 * GAP, 3)


def test_what_is_measured_before_is_the_checkpoint_that_the_run_began_with(recipe: Recipe, tmp_path: Path) -> None:
    """A run that goes on, and whose checkpoint is another by now, has nothing to compare with."""
    run = replace(outline(replace(recipe, initial_weights="model"), tmp_path / "run", 3), initial_weights=None)
    measurements = BeforeAndAfter([write_images(tmp_path / "cells", 1)])
    measurements.began(run)
    assert read_measurements(run.folder) == []


def test_images_and_videos_are_measured_before_and_after(recipe: Recipe, tmp_path: Path) -> None:
    """What is measured before is the checkpoint, and afterwards what the run has left: here the same weights."""
    run = outline(replace(recipe, initial_weights=tmp_path / "run" / AVERAGE_FOLDER), tmp_path / "run")
    model = Sam2VideoModel(recipe.model).eval()
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)  # answers of random weights hang on how numbers are rounded
    model.save_pretrained(run.folder / AVERAGE_FOLDER)
    settings = ProcessorSettings()
    settings.began(run)
    settings.saved(0, model)
    measurements = BeforeAndAfter([write_images(tmp_path / "cells", 1), write_videos(tmp_path / "clips", 1, frames=3)])
    measurements.began(run)
    assert all(each.before is not None and each.after is None for each in read_measurements(run.folder))
    measurements.finished()
    measured = read_measurements(run.folder)
    assert {each.dataset for each in measured} == {"cells", "clips"}
    assert {"1 click", "box", "J&F"} <= {each.measure for each in measured}
    assert [each.gain for each in measured] == ["+0.0"] * len(measured)
    more = BeforeAndAfter([tmp_path / "clips", write_images(tmp_path / "nuts", 1)])
    more.began(run)
    by_dataset = {each.dataset: each for each in read_measurements(run.folder)}
    assert (by_dataset["nuts"].before is None, by_dataset["nuts"].after) == (False, None)
    assert by_dataset["clips"].after is not None  # which was not measured again


def test_a_trained_model_keeps_what_suits_automatic_masks_of_the_checkpoint(recipe: Recipe, tmp_path: Path) -> None:
    before = {"points_per_side": 16, "pred_iou_thresh": 0.25}
    Sam2VideoModel(recipe.model).save_pretrained(tmp_path / "checkpoint")
    Sam2Processor(automatic_masks=before).save_pretrained(tmp_path / "checkpoint")
    settings = ProcessorSettings()
    settings.began(outline(replace(recipe, initial_weights=tmp_path / "checkpoint"), tmp_path / "run"))
    settings.saved(0, Sam2VideoModel(recipe.model))
    assert Sam2Processor.from_pretrained(tmp_path / "run" / AVERAGE_FOLDER).automatic_masks == before


def test_data_that_cannot_be_measured_on_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="There is no folder"):
        BeforeAndAfter([tmp_path / "nowhere"])
    root = write_images(tmp_path / "cells", 2)
    (root / "images" / "1.png").unlink()
    with pytest.raises(InvalidInputError, match=r"1\.png"):
        BeforeAndAfter([root])


def test_data_to_measure_on_is_told_apart_by_the_names_of_its_folders(tmp_path: Path) -> None:
    folders = [write_images(tmp_path / kind / "test", 1) for kind in ("cells", "cars")]
    with pytest.raises(InvalidInputError, match="twice: test"):
        BeforeAndAfter(folders)
    for name in ("one", "two"):
        (write_videos(tmp_path / name, 1, frames=3) / "val.txt").write_text("video0")
    lists = [tmp_path / name / "val.txt" for name in ("one", "two")]
    assert [dataset_name(each) for each in lists] == ["one/val", "two/val"]
    BeforeAndAfter(lists)


def test_the_page_needs_nothing_else(recipe: Recipe, tmp_path: Path) -> None:
    run = outline(recipe, tmp_path / "run")
    measured = [Measurement("cells", "1 click", 0.41, 0.53)]
    (run.folder / MEASUREMENTS).write_text(json.dumps([vars(each) for each in measured]))
    assert read_measurements(run.folder) == measured
    model = Sam2VideoModel(recipe.model).eval()
    log, images, page = StepLog(), Predictions(), HtmlReport()
    for observer in (log, images, page):
        observer.began(run)
    log.stepped(1, {"total": 0.5})
    log.stepped(2, {"total": 0.25})
    images.saved(2, model)
    page.finished()
    text = (run.folder / "report.html").read_text()
    assert len(prediction_images(run.folder)) == 1
    assert text.count("data:image/jpeg;base64,") == 1
    assert "<polyline" in text
    assert "a &lt;small&gt; machine" in text
    assert "<td class='number'>+12.0</td>" in text
    assert "stages.1.steps" in text
    assert "http" not in text.replace("http://www.w3.org", "")
