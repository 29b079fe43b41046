"""A program as users write it, run once with transformers' classes and once with masklet's, on equal weights.

A program is a function of the names that it imports, `sam2`; `sam2.CHECKPOINT` is the folder of its model. What it
returns has to be the same under both. transformers' own image processors resize pixels with torchvision, which is not
installed, so that they are given those that masklet resized (`tests/parity/test_preprocessing.py` compares those with
Pillow's). All that they do with prompts, sessions and masks is theirs.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.parity.agreement import assert_agrees
from torch import Tensor

import masklet

SIZE, WIDTH = 64, 128
# Added to the logits of the object scores: random weights would have it that hardly anything is there.
PRESENCE = 8.0

Program = Callable[[Any], Any]


def configuration() -> dict[str, Any]:
    """A video network with every part of the released ones that makes masks in milliseconds, as transformers has it."""
    from benchmarks.references.configurations import image_model, video_model

    image = image_model(
        SIZE,
        embed_dim=8,
        num_heads=1,
        blocks_per_stage=[1, 2, 2, 1],
        global_attention_blocks=[4],
        background_size=[7, 7],
        fpn_hidden_size=WIDTH,
        mask_input_channels=8,
        mlp_dim=64,
        decoder_heads=4,
        iou_head_hidden_dim=32,
    )
    return video_model(image, memory_attention_num_layers=1, memory_attention_feed_forward_hidden_size=64)


def save_checkpoint(folder: Path) -> None:
    """Write a folder as they are on the hub: a video model's, which image models are loaded from, too."""
    from benchmarks.references.random_weights import randomise
    from benchmarks.references.transformers_sam2 import build_transformers_video_model

    model = randomise(build_transformers_video_model(configuration()))
    model.get_parameter("mask_decoder.pred_obj_score_head.proj_out.bias").data += PRESENCE
    model.save_pretrained(folder)
    masklet.Sam2Processor(size=SIZE).save_pretrained(folder)


class Names:
    """The names of a package that a program imports, some of them others, and the folder of its model."""

    def __init__(self, package: Any, folder: Path, **others: Any) -> None:
        self.CHECKPOINT, self._package = folder, package
        vars(self).update(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._package, name)


def names_of_masklet(folder: Path) -> Names:
    return Names(masklet, folder)


def names_of_transformers(folder: Path) -> Names:
    transformers = pytest.importorskip("transformers", reason="make test installs it")
    processors = (transformers.Sam2Processor, transformers.Sam2VideoProcessor)
    return Names(transformers, folder, **{kind.__name__: _with_pixels_of_masklet(kind) for kind in processors})


def _with_pixels_of_masklet(kind: type[Any]) -> type[Any]:
    class Processor(kind):  # type: ignore[misc]
        def __init__(self, side: int) -> None:
            self.image_processor = _image_processor(side)
            self.video_processor = masklet.Sam2VideoVideoProcessor(size=side)
            self.target_size, self.point_pad_value = side, -10

        @classmethod
        def from_pretrained(cls, folder: Path, **ignored: Any) -> Any:
            return cls(masklet.Sam2Processor.from_pretrained(folder).target_size)

    return Processor


def _image_processor(side: int) -> Any:
    from tests.support.transformers_image_processor import image_processor_class

    pixels_of_masklet = masklet.Sam2ImageProcessorFast(size=side)

    class ImageProcessor(image_processor_class()):  # type: ignore[misc]
        size = pixels_of_masklet.size

        def __init__(self) -> None:
            """Nothing that needs torchvision."""

        def __call__(self, images: Any, segmentation_maps: Any = None, **options: Any) -> Any:
            return pixels_of_masklet(images, segmentation_maps, **options)

    return ImageProcessor()


def assert_same(ours: Any, theirs: Any, place: str = "result") -> None:
    """Raise AssertionError unless two results of a program are the same up to rounding."""
    if isinstance(theirs, Tensor):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), place
        if not theirs.is_floating_point():
            assert (ours != theirs).float().mean() <= 1e-3, f"{place}: others"  # a pixel on a mask's edge
        elif theirs.numel():
            assert_agrees(ours, theirs, place, tolerance=1e-4 if theirs.dtype == torch.float32 else 0.05)
    elif isinstance(theirs, Mapping):
        assert list(ours) == list(theirs), place
        for key, value in theirs.items():
            assert_same(ours[key], value, f"{place}[{key!r}]")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), place
        for index, value in enumerate(theirs):
            assert_same(ours[index], value, f"{place}[{index}]")
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-5), place
    else:
        assert ours == theirs, place


def assert_runs_alike(program: Program, folder: Path) -> None:
    """Run a program under both imports."""
    torch.manual_seed(0)
    logging.disable(logging.ERROR)  # transformers reports at length which tensors an image model leaves out
    try:
        theirs = program(names_of_transformers(folder))
    finally:
        logging.disable(logging.NOTSET)
    torch.manual_seed(0)
    assert_same(program(names_of_masklet(folder)), theirs)


def image(width: int = 60, height: int = 45, seed: int = 0) -> Image.Image:
    """Coarse noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def frames(count: int = 5) -> list[Image.Image]:
    """Coarse noise that drifts to the right."""
    whole = np.asarray(image(90, 45, seed=3))
    return [Image.fromarray(np.roll(whole, 4 * number, axis=1)[:, :60]) for number in range(count)]
