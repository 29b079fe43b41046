"""What a run leaves for people."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.training.small_recipes import small_recipe, write_pictures
from tests.unit.training.supply.test_data_source import write_images, write_videos

from masklet.tracking.video_model import Sam2VideoModel
from masklet.training.reports.html_report import HtmlReport
from masklet.training.reports.measurements import MEASUREMENTS, BeforeAndAfter, Measurement, read_measurements
from masklet.training.reports.predictions import GAP, Predictions, pictures_of, predictions_sheet, sample_batch
from masklet.training.reports.processor_settings import ProcessorSettings
from masklet.training.reports.step_log import STEP_LOG, StepLog, read_steps
from masklet.training.reports.svg_curves import MOST_POINTS, curve_svg
from masklet.training.run.observer import RunOutline
from masklet.training.run.run_state import AVERAGE_FOLDER
from masklet.training.settings.recipe import Recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return small_recipe(write_pictures(tmp_path / "pictures"))


def outline(recipe: Recipe, folder: Path, first_step: int = 0) -> RunOutline:
    folder.mkdir(exist_ok=True)
    return RunOutline(recipe, folder, first_step, "a <small> machine")


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


def test_pictures_show_picture_truth_and_prediction(recipe: Recipe) -> None:
    batch = sample_batch(recipe)
    size = batch.pixel_values.shape[-1]
    model = Sam2VideoModel(recipe.model).eval()
    model.resize(size)
    sheet = predictions_sheet(model, batch)
    count = len(batch.valid)
    assert sheet.shape == (count * size + (count - 1) * GAP, 3 * size + 2 * GAP, 3)
    np.testing.assert_array_equal(sheet[:size, :size], batch.pixel_values[0].permute(1, 2, 0))
    assert (sheet[:size, size + GAP : 2 * size + GAP] != sheet[:size, :size]).any()


def test_pictures_and_videos_are_measured_before_and_after(recipe: Recipe, tmp_path: Path) -> None:
    """What is measured before is the checkpoint, and afterwards what the run has left: here the same weights."""
    run = outline(replace(recipe, initial_weights=tmp_path / "run" / AVERAGE_FOLDER), tmp_path / "run")
    model = Sam2VideoModel(recipe.model).eval()
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


def test_the_page_needs_nothing_else(recipe: Recipe, tmp_path: Path) -> None:
    run = outline(recipe, tmp_path / "run")
    measured = [Measurement("cells", "1 click", 0.41, 0.53)]
    (run.folder / MEASUREMENTS).write_text(json.dumps([vars(each) for each in measured]))
    assert read_measurements(run.folder) == measured
    model = Sam2VideoModel(recipe.model).eval()
    log, pictures, page = StepLog(), Predictions(), HtmlReport()
    for observer in (log, pictures, page):
        observer.began(run)
    log.stepped(1, {"total": 0.5})
    log.stepped(2, {"total": 0.25})
    pictures.saved(2, model)
    page.finished()
    text = (run.folder / "report.html").read_text()
    assert len(pictures_of(run.folder)) == 1
    assert text.count("data:image/jpeg;base64,") == 1
    assert "<polyline" in text
    assert "a &lt;small&gt; machine" in text
    assert "<td class='number'>+12.0</td>" in text
    assert "stages.1.steps" in text
    assert "http" not in text.replace("http://www.w3.org", "")
