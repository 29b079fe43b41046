"""Earlier names of a recipe's fields."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.small_recipes import small_recipe

from masklet.datasets.scenes import ImageBank, PictureBank
from masklet.sources import BUNDLED_FOLDER
from masklet.training.run.run_record import RECORD_FILE, RunRecord
from masklet.training.settings.overrides import OLDER_NAMES, overridden, settings, todays_name
from masklet.training.settings.procedure import LossWeights
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage


@pytest.fixture
def recipe() -> Recipe:
    return replace(small_recipe(Path("images")), stages=(ClipStage(64, 1), ClipStage(64, 1)))


def test_every_one_names_a_field_of_today_and_is_none_itself(recipe: Recipe) -> None:
    known = settings(recipe)
    for older, newer in OLDER_NAMES.items():
        named = [name for name in known if f"{name}.".startswith(newer.replace("*", "1") + ".")]
        assert named, newer
        assert not any(f"{name}.".startswith(older.replace("*", "1") + ".") for name in known), older


def test_groups_and_numbers_of_stages_are_kept() -> None:
    assert todays_name("data.stills.colours.brightness") == "data.images.colours.brightness"
    assert todays_name("stages.12.stills_every") == "stages.12.images_every"
    assert todays_name("losses.close_up") == "losses.cropped"
    assert [todays_name(name) for name in ("stages", "data", "losses.dice", "x.rounds")] == [
        "stages",
        "data",
        "losses.dice",
        "x.rounds",
    ]


def test_they_can_be_set(recipe: Recipe) -> None:
    changed = overridden(recipe, ["rounds=5", "stages.1.stills_every=2.5", "data.stills.flip=0", "annotator.truth=1"])
    assert changed.prompt_rounds == 5
    assert [stage.images_every for stage in changed.stages if isinstance(stage, ClipStage)] == [0, 2.5]
    assert changed.data.images.flip == 0
    assert changed.annotator.from_ground_truth == 1


def test_a_run_that_began_with_them_goes_on(recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(recipe, losses=LossWeights(cropped=0.25), prompt_rounds=2)
    RunRecord.of(recipe).save(tmp_path)
    path = tmp_path / RECORD_FILE
    record = json.loads(path.read_text())
    record["settings"] = {
        {"losses.cropped": "losses.close_up", "prompt_rounds": "rounds"}.get(name, name): text
        for name, text in record["settings"].items()
    }
    path.write_text(json.dumps(record))
    RunRecord.of(recipe).check_goes_on(tmp_path)


def test_the_bundled_model_is_fine_tuned_with_its_losses() -> None:
    """Its record has the earlier names."""
    assert "losses.close_up" in (BUNDLED_FOLDER / RECORD_FILE).read_text()
    record = RunRecord.load(BUNDLED_FOLDER)
    assert record is not None
    assert record.losses() == LossWeights(focal=10, focal_alpha=0.5, dice=6, iou=2, cropped=0.5)


def test_the_bank_of_images_has_its_earlier_name() -> None:
    assert PictureBank is ImageBank
