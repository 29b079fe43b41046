"""Everything in an image: the generator, its steps as methods of the image processor, and the command."""

from pathlib import Path
from random import Random
from typing import Any

import torch
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.commands import run_command
from tests.fuzz.entries.command_line import NUMBERS, WORDS
from tests.fuzz.entries.values import spoiled

from masklet import AutomaticMaskGenerator

Arguments = dict[str, Any]
ARRAYS = {"image", "masks", "iou_scores", "all_scores", "all_boxes", "original_size", "cropped_box_image"}
SIZES = {"points_per_side", "points_per_crop", "crop_n_layers"}
NOT_MANY = 16
"""Points along a side, or layers: more of them are slow by design."""


def _spoil(rng: Random, arguments: Arguments) -> tuple[str, Arguments]:
    """Spoil one or two arguments, but ask for no work that takes long by design."""
    names = []
    for argument in rng.sample(sorted(arguments), rng.choice((1, 1, 2))):
        name, value = spoiled(rng, arguments[argument], may_be_array=argument in ARRAYS)
        if argument not in SIZES or not _is_many(value):
            names.append(f"{argument}: {name}")
            arguments[argument] = value
    return ", ".join(names), arguments


def _is_many(value: object) -> bool:
    return isinstance(value, int | float) and NOT_MANY < value <= 1024


def _generated(_: Path) -> Arguments:
    return {
        "image": materials.pixels(),
        "points_per_side": 3,
        "points_per_batch": 4,
        "pred_iou_thresh": 0.1,
        "stability_score_thresh": 0.1,
        "stability_score_offset": 0.5,
        "mask_threshold": 0.0,
        "box_nms_thresh": 0.7,
        "crop_n_layers": 1,
        "crop_nms_thresh": 0.7,
        "crop_overlap_ratio": 0.3,
        "crop_n_points_downscale_factor": 2,
        "min_mask_region_area": 9,
        "output_mode": "coco_rle",
        "use_m2m": True,
        "multimask_output": True,
        "point_search": "coarse_to_fine",
        "duplicates": "mask",
        "containment": "wholes",
        "max_area": 0.9,
        "order": "quality",
        "layers": "flat",
        "max_masks": 5,
        "preset": "fast",
    }


def _some_options(rng: Random, arguments: Arguments) -> tuple[str, Arguments]:
    kept = {"image", "points_per_side", *rng.sample(sorted(arguments), 6)}
    return _spoil(rng, {name: arguments[name] for name in sorted(kept)})


def _generate(arguments: Arguments) -> None:
    segmenter, image = materials.segmenter(), arguments.pop("image")
    generated = AutomaticMaskGenerator(segmenter.runtime, segmenter.processor, **arguments).generate(image)
    for found in generated if isinstance(generated, list) else [generated]:
        assert len(found.records()) == len(found)
        assert found.summary().count("\n") == 0


def _grids(_: Path) -> Arguments:
    return {"points_per_side": None, "point_grids": [[[0.5, 0.5], [0.2, 0.7]]], "image": materials.pixels()}


def _crops(_: Path) -> Arguments:
    return {
        "image": materials.pixels(),
        "target_size": 64,
        "crop_n_layers": 1,
        "overlap_ratio": 0.3,
        "points_per_crop": 4,
        "crop_n_points_downscale_factor": 1,
        "device": "cpu",
    }


def _crop(arguments: Arguments) -> None:
    materials.segmenter().processor.image_processor.generate_crop_boxes(**arguments)


def _candidates(_: Path) -> Arguments:
    return {
        "masks": torch.linspace(-2, 2, 2 * 3 * 20 * 30).view(2, 3, 20, 30),
        "iou_scores": torch.linspace(0.5, 1, 6).view(2, 3),
        "original_size": [materials.HEIGHT, materials.WIDTH],
        "cropped_box_image": [5, 3, 35, 23],
        "pred_iou_thresh": 0.6,
        "stability_score_thresh": 0.1,
        "mask_threshold": 0.0,
        "stability_score_offset": 0.5,
    }


def _filter(arguments: Arguments) -> None:
    materials.segmenter().processor.image_processor.filter_masks(**arguments)


def _filtered(_: Path) -> Arguments:
    return {
        "all_masks": [{"size": [4, 5], "counts": [3, 5, 12]}, {"size": [4, 5], "counts": [0, 20]}],
        "all_scores": [0.9, 0.8],
        "all_boxes": [[0, 0, 3, 3], [0, 0, 4, 3]],
        "crops_nms_thresh": 0.7,
    }


def _post_process(arguments: Arguments) -> None:
    materials.segmenter().processor.image_processor.post_process_for_mask_generation(**arguments)


def _settings(folder: Path) -> dict[str, str]:
    materials.write_image(folder / "a.png")
    materials.copied(materials.model(), folder / "model")
    values = {name: value for name, value in _generated(folder).items() if name not in ("image", "preset")}
    return {name: str(value) for name, value in values.items()}


def _spoil_settings(rng: Random, settings: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Give one of some settings another word; the points stay, since their default takes long."""
    kept = {name: settings[name] for name in rng.sample(sorted(settings), 4)} | {"points_per_side": "3"}
    name = rng.choice(sorted(kept))
    value = rng.choice((*NUMBERS, *WORDS))
    kept[name if rng.random() < 0.9 else value[:100]] = value
    return f"{name}={value[:200]}", kept


def _segment_everything(settings: dict[str, str]) -> None:
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    run_command("segment", "a.png", "--everything", "--model", "model", "-o", "out", *words)


ENTRIES = {
    "everything": Entry(_generated, _some_options, _generate),
    "everything-grids": Entry(_grids, _spoil, _generate),
    "everything-command": Entry(_settings, _spoil_settings, _segment_everything),
    "crop-boxes": Entry(_crops, _spoil, _crop),
    "filter-masks": Entry(_candidates, _spoil, _filter),
    "mask-generation": Entry(_filtered, _spoil, _post_process),
}
