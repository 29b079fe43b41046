"""The calls of programs: the segmenter, the processor and the tracker, with values that are none of theirs."""

import json
from pathlib import Path
from random import Random
from typing import Any

import torch
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.entries.values import spoiled

from masklet import EverythingPolicy, ImageSegmenter, Prompt, ZoomingSegmenter

# Arguments that programs give arrays and tensors for, in place of lists.
ARRAYS = {
    *("image", "images", "first", "second", "video", "segmentation_maps"),
    *("points", "labels", "box", "boxes", "mask", "masks", "input_points", "input_labels", "input_boxes"),
    *("original_sizes", "image_mean", "object_ids"),
}
BOX = [15, 10, 40, 30]
Arguments = dict[str, Any]


def _spoil(rng: Random, arguments: Arguments) -> tuple[str, Arguments]:
    names = []
    for argument in rng.sample(sorted(arguments), min(len(arguments), rng.choice((1, 1, 2)))):
        may_be_array = argument in ARRAYS
        name, arguments[argument] = spoiled(rng, arguments[argument], may_be_array=may_be_array)
        names.append(f"{argument}: {name}")
    return ", ".join(names), arguments


def _images(_: Path) -> Arguments:
    return {"image": materials.pixels()}


def _encode(arguments: Arguments) -> None:
    encoded = materials.segmenter().encode(arguments["image"])
    materials.segmenter().segment(encoded, boxes=[[0, 0, encoded.width, encoded.height]])


def _prompts(_: Path) -> Arguments:
    return {
        "points": [[[20, 20], [30, 15]], [[5, 5]]],
        "labels": [[1, 0], [1]],
        "boxes": [BOX, [0, 0, 20, 20]],
        "masks": [materials.mask().tolist()] * 2,
        "multimask": True,
        "object_ids": [3, 7],
    }


def _some_prompts(rng: Random, arguments: Arguments) -> tuple[str, Arguments]:
    """Spoil prompts of one or two kinds and leave others out, so that each is met with and without the rest."""
    kept = rng.sample(sorted(arguments), rng.choice((1, 2, 3)))
    return _spoil(rng, {name: arguments[name] for name in kept})


def _segment(arguments: Arguments) -> None:
    segmentation = materials.segmenter().segment(materials.encoded(), **arguments)
    assert segmentation.masks.shape[1:] == (materials.HEIGHT, materials.WIDTH)


def _candidates(arguments: Arguments) -> None:
    prompts = {name: value for name, value in arguments.items() if name not in ("multimask", "object_ids")}
    materials.segmenter().candidates(materials.encoded(), **prompts)


def _prompt(_: Path) -> Arguments:
    return {"points": [[20, 20], [30, 15]], "labels": [1, 0], "box": BOX, "mask": materials.mask().tolist()}


def _use_prompt(arguments: Arguments) -> None:
    prompt = Prompt(**arguments)
    assert Prompt.from_json(json.loads(json.dumps(prompt.to_json()))) == prompt
    for segmenter in (materials.segmenter(), _zooming()):
        encoded = segmenter.encode(materials.pixels())
        segmenter.segment(encoded, prompts=[prompt, Prompt(box=BOX)])


def _zooming() -> ZoomingSegmenter:
    return ZoomingSegmenter(materials.segmenter().model, materials.segmenter().processor)


def _prompt_in_json(_: Path) -> Arguments:
    document: Arguments = Prompt([[20, 20], [30, 15]], [1, 0], BOX, materials.mask()).to_json()
    return document


def _spoil_json(rng: Random, document: Arguments) -> tuple[str, Any]:
    return spoiled(rng, document, may_be_array=False)


def _read_prompt(document: object) -> None:
    Prompt.from_json(document).to_json()


def _processed(_: Path) -> Arguments:
    return {
        "images": [materials.pixels()],
        "segmentation_maps": [materials.mask().astype(int).tolist()],
        "input_points": [[[[20, 20], [30, 15]]]],
        "input_labels": [[[1, 0]]],
        "input_boxes": [[BOX]],
        "original_sizes": [[40, 60]],
        "return_tensors": "pt",
        "size": {"height": 64, "width": 64},
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "rescale_factor": 0.1,
        "resample": 2,
        "data_format": "channels_first",
        "input_data_format": "channels_last",
        "device": "cpu",
    }


def _process(arguments: Arguments) -> None:
    inputs = materials.segmenter().processor(**arguments)
    dict(inputs)


def _some_options(rng: Random, arguments: Arguments) -> tuple[str, Arguments]:
    kept = {"images", *rng.sample(sorted(arguments), 5)}
    return _spoil(rng, {name: arguments[name] for name in sorted(kept)})


def _logits(_: Path) -> Arguments:
    return {
        "masks": torch.linspace(-2, 2, 16).reshape(1, 1, 1, 4, 4),
        "original_sizes": [[40, 60]],
        "mask_threshold": 0.0,
        "binarize": True,
        "max_hole_area": 2.0,
        "max_sprinkle_area": 2.0,
    }


def _post_process(arguments: Arguments) -> None:
    materials.segmenter().processor.post_process_masks(**arguments)


def _tracked(_: Path) -> Arguments:
    return {
        "video": [materials.pixels()] * 3,
        "open.retention": "window",
        "open.inference_device": "cpu",
        "open.dtype": "float32",
        "object_id": 1,
        "frame": 0,
        "points": [[20, 20], [30, 15]],
        "labels": [1, 0],
        "box": BOX,
        "direction": "both",
        "frames": range(3),
        "keep_earlier": False,
        "look": 1,
    }


def _tracked_by_mask(_: Path) -> Arguments:
    return {"video": [materials.pixels()] * 3, "object_id": 1, "frame": 1, "mask": materials.mask().tolist()}


def _track(arguments: Arguments) -> None:
    options = {name.removeprefix("open."): value for name, value in arguments.items() if name.startswith("open.")}
    prompts = ("object_id", "frame", "points", "labels", "box", "mask", "keep_earlier")
    video = materials.tracker().open(arguments["video"], **options)
    video.add(**{name: arguments[name] for name in prompts if name in arguments})
    video.segment(arguments.get("look", 0))
    for _ in video.track(arguments.get("direction", "forward"), arguments.get("frames")):
        pass
    video.clear(arguments["object_id"], arguments["frame"])
    video.remove(arguments["object_id"])


def _stream(_: Path) -> Arguments:
    return {"first": materials.pixels(), "second": materials.pixels(), "box": BOX, "object_id": 1, "frame": 0}


def _push(arguments: Arguments) -> None:
    video = materials.tracker().open()
    video.push(arguments["first"])
    video.add(arguments["object_id"], arguments["frame"], box=arguments["box"])
    video.push(arguments["second"])


def _everything(_: Path) -> Arguments:
    policy = {"every": 2, "cut": 0.2, "match": 0.5, "granularity": "parts", "min_area": 1, "max_area": 1.0}
    more = {"confirm": 1, "revive": 0.5, "refresh": 0.5, "max_objects": 3, "points_per_side": 4}
    return {"video": [materials.pixels()] * 3, "lookback": True, "zoom": True, **policy, **more}


def _some_everything(rng: Random, arguments: Arguments) -> tuple[str, Arguments]:
    kept = {"video", *rng.sample(sorted(arguments), 5)}
    return _spoil(rng, {name: arguments[name] for name in sorted(kept)})


def _follow_everything(arguments: Arguments) -> None:
    options = {name: arguments[name] for name in ("lookback", "zoom") if name in arguments}
    policy = EverythingPolicy(**{name: each for name, each in arguments.items() if name not in ("video", *options)})
    for _ in materials.tracker().everything(arguments["video"], policy, **options):
        pass


def _loading(_: Path) -> Arguments:
    return {
        "source": str(materials.model()),
        "device": "cpu",
        "dtype": "float32",
        "image_size": 96,
        "subfolder": "",
        "revision": "main",
        "config": None,
        "strict": True,
        "device_map": None,
        "torch_dtype": None,
        "token": None,
        "variant": None,
    }


def _some_loading(rng: Random, arguments: Arguments) -> tuple[str, Arguments]:
    kept = {"source", *rng.sample(sorted(arguments), 3)}
    return _spoil(rng, {name: arguments[name] for name in sorted(kept)})


def _load(arguments: Arguments) -> None:
    ImageSegmenter.from_pretrained(**arguments)


ENTRIES = {
    "encode": Entry(_images, _spoil, _encode),
    "segment": Entry(_prompts, _some_prompts, _segment),
    "prompt": Entry(_prompt, _some_prompts, _use_prompt),
    "prompt-json": Entry(_prompt_in_json, _spoil_json, _read_prompt),
    "candidates": Entry(_prompts, _some_prompts, _candidates),
    "processor": Entry(_processed, _some_options, _process),
    "post-process": Entry(_logits, _spoil, _post_process),
    "tracker": Entry(_tracked, _spoil, _track),
    "tracker-mask": Entry(_tracked_by_mask, _spoil, _track),
    "stream": Entry(_stream, _spoil, _push),
    "everything": Entry(_everything, _some_everything, _follow_everything),
    "loading": Entry(_loading, _some_loading, _load),
}
