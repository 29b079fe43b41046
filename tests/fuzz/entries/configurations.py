"""config.json of a model, and the settings of processors in both layouts."""

import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.spoiling import DEEP, spoil_json_file, spoiled_json

import masklet


def _model(folder: Path) -> Path:
    return materials.copied(materials.model(), folder / "model")


def _spoil(name: str) -> Any:
    def spoil(rng: Random, model: Path) -> tuple[str, Path]:
        return spoil_json_file(rng, model / name), model

    return spoil


def _use_model(model: Path) -> None:
    segmenter = masklet.ImageSegmenter.from_pretrained(model)
    segmenter.segment(segmenter.encode(materials.pixels()), boxes=[[15, 10, 40, 30]])


def _use_video_model(model: Path) -> None:
    masklet.Sam2Config.from_pretrained(model).save_pretrained(model / "again")
    tracker = masklet.VideoTracker.from_pretrained(model)
    video = tracker.open([materials.pixels()] * 3)
    video.add(1, 0, box=(15, 10, 40, 30))
    list(video.track())


def _use_processor(model: Path) -> None:
    processor = masklet.Sam2Processor.from_pretrained(model)
    inputs = processor(materials.pixels(), input_boxes=[[[15, 10, 40, 30]]], return_tensors="pt")
    processor.post_process_masks(inputs["pixel_values"][:, None, :1], inputs["original_sizes"])
    processor.save_pretrained(model / "again")


def _older_settings(folder: Path) -> Path:
    """The image processor's and the video processor's settings in files of their own."""
    model = _model(folder)
    nested = json.loads((model / "processor_config.json").read_text())["image_processor"]
    (model / "processor_config.json").unlink()
    for name in ("preprocessor_config.json", "video_preprocessor_config.json"):
        (model / name).write_text(json.dumps(nested))
    return model


def _spoil_one_of_the_settings(rng: Random, model: Path) -> tuple[str, Path]:
    return spoil_json_file(rng, rng.choice(sorted(model.glob("*preprocessor_config.json")))), model


def _keywords(_: Path) -> dict[str, Any]:
    return masklet.Sam2Config.from_pretrained(materials.model()).to_dict()


def _spoil_keywords(rng: Random, keywords: dict[str, Any]) -> tuple[str, Any]:
    name, document = spoiled_json(rng, keywords)
    return name, {key: [] if value == DEEP else value for key, value in document.items()} if isinstance(
        document, dict
    ) else {"image_size": document}


def _use_keywords(keywords: dict[str, Any]) -> None:
    config = masklet.Sam2Config(**keywords)
    config.to_json_string()
    masklet.Sam2Model(config)


def _spoil_files(rng: Random, model: Path) -> tuple[str, Path]:
    """Files of the folder that are missing, folders, or each other."""
    path = rng.choice(sorted(model.glob("*.json")))
    other = rng.choice(["", "config.json", "processor_config.json"])
    path.unlink()
    if other and (model / other).exists():
        shutil.copyfile(model / other, path)
    elif other:
        path.mkdir()
    return f"{path.name} is {other or 'missing'}", model


ENTRIES = {
    "config": Entry(_model, _spoil("config.json"), _use_model),
    "video-config": Entry(_model, _spoil("config.json"), _use_video_model),
    "config-keywords": Entry(_keywords, _spoil_keywords, _use_keywords),
    "model-folder": Entry(_model, _spoil_files, _use_model),
    "settings": Entry(_model, _spoil("processor_config.json"), _use_processor),
    "older-settings": Entry(_older_settings, _spoil_one_of_the_settings, _use_processor),
}
