"""What goes wrong in daily use ends in a ValueError or OSError that names what came and what is allowed."""

import errno
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from PIL import Image

from masklet import ImageSegmenter, Sam2Model, Sam2Processor
from masklet.predictors.image_segmenter import EncodedImage

HEIGHT, WIDTH = 40, 60
PIXELS = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Desk:
    """What a user has at hand; `folder` may be written to."""

    segmenter: ImageSegmenter
    encoded: EncodedImage
    model: Path
    folder: Path

    @property
    def processor(self) -> Sam2Processor:
        return self.segmenter.processor

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def picture(self, suffix: str) -> bytes:
        path = self.folder / f"whole{suffix}"
        Image.fromarray(PIXELS).save(path)
        return path.read_bytes()

    def copy_of_the_model(self) -> Path:
        return Path(shutil.copytree(self.model, self.folder / "copy"))


@pytest.fixture(scope="module")
def segmenter(saved_model: Path) -> ImageSegmenter:
    return ImageSegmenter.from_pretrained(saved_model)


@pytest.fixture(scope="module")
def encoded(segmenter: ImageSegmenter) -> EncodedImage:
    return segmenter.encode(PIXELS)


@pytest.fixture
def desk(segmenter: ImageSegmenter, encoded: EncodedImage, saved_model: Path, tmp_path: Path) -> Desk:
    return Desk(segmenter, encoded, saved_model, tmp_path)


def with_nan(pixels: np.ndarray) -> np.ndarray:
    pixels = pixels.astype(np.float32)
    pixels[3, 4] = np.nan
    return pixels


def cut_weights(desk: Desk) -> Path:
    folder = desk.copy_of_the_model()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    return folder


def foreign_weights(desk: Desk) -> Path:
    folder = desk.copy_of_the_model()
    (folder / "model.safetensors").write_bytes(b"<html>Not found</html>" * 20)
    return folder


def foreign_config(desk: Desk) -> Path:
    folder = desk.copy_of_the_model()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 30522}))
    return folder


Use = Callable[[Desk], object]
# What happens, what is done, and what the message says of both sides.
CASES: dict[str, tuple[Use, type[Exception], str]] = {
    "truncated png": (
        lambda desk: desk.segmenter.encode(desk.file("cut.png", desk.picture(".png")[:-2000])),
        OSError,
        "cut.png",
    ),
    "truncated jpeg": (
        lambda desk: desk.segmenter.encode(desk.file("cut.jpg", desk.picture(".jpg")[:400])),
        OSError,
        "cut.jpg",
    ),
    "text as picture": (lambda desk: desk.segmenter.encode(desk.file("a.png", b"hello")), OSError, "a.png"),
    "empty file as picture": (lambda desk: desk.segmenter.encode(desk.file("b.png", b"")), OSError, "b.png"),
    "missing picture": (lambda desk: desk.segmenter.encode(desk.folder / "none.png"), OSError, "none.png"),
    "folder as picture": (lambda desk: desk.segmenter.encode(desk.folder), OSError, "."),
    "NaN pixels": (lambda desk: desk.segmenter.encode(with_nan(PIXELS)), ValueError, "NaN"),
    "no pixels": (lambda desk: desk.segmenter.encode(PIXELS[:0]), ValueError, r"empty.*\[3, 0, 60\]"),
    "no picture": (lambda desk: desk.segmenter.encode([]), ValueError, "No image"),
    "number as picture": (lambda desk: desk.segmenter.encode(5), ValueError, "PIL image.* got int"),
    "point outside": (
        lambda desk: desk.segmenter.segment(desk.encoded, points=[[[60.5, 10]]]),
        ValueError,
        r"\(60\.5, 10\) is outside its image of 60 x 40",
    ),
    "point that is no number": (
        lambda desk: desk.segmenter.segment(desk.encoded, points=[[[float("nan"), 10]]]),
        ValueError,
        "points must be finite numbers",
    ),
    "too few labels": (
        lambda desk: desk.processor(PIXELS, input_points=[[[[1, 2], [3, 4]]]], input_labels=[[[1]]]),
        ValueError,
        r"Each point has one label.*\[\[2\]\] points with \[\[1\]\] labels",
    ),
    "unknown label": (
        lambda desk: desk.processor(PIXELS, input_points=[[[[1, 2]]]], input_labels=[[[7]]]),
        ValueError,
        r"is 7; a label must be 1 \(inside\), 0",
    ),
    "inverted box": (
        lambda desk: desk.segmenter.segment(desk.encoded, boxes=[[30, 5, 10, 20]]),
        ValueError,
        r"box \(30, 5, 10, 20\).*x1 < x2",
    ),
    "empty box": (
        lambda desk: desk.segmenter.segment(desk.encoded, boxes=[[10, 5, 30, 5]]),
        ValueError,
        r"box \(10, 5, 30, 5\).*y1 < y2",
    ),
    "points nested too little": (
        lambda desk: desk.processor(PIXELS, input_points=[[1, 2]]),
        ValueError,
        "nested 4 levels deep.*got 2",
    ),
    "boxes nested too much": (
        lambda desk: desk.processor(PIXELS, input_boxes=[[[[1, 2, 3, 4]]]]),
        ValueError,
        "nested 3 levels deep.*got 4",
    ),
    "boxes of three numbers": (
        lambda desk: desk.processor(PIXELS, input_boxes=[[[1, 2, 3]]]),
        ValueError,
        r"4 coordinates.*got 3: \[1, 2, 3\]",
    ),
    "prompts for fewer pictures": (
        lambda desk: desk.processor([PIXELS, PIXELS], input_points=[[[[1, 2]]]]),
        ValueError,
        "points for 1 images but 2 images",
    ),
    "batch of another length": (
        lambda desk: desk.segmenter.model(
            **desk.processor(PIXELS, return_tensors="pt"),
            input_boxes=desk.processor([PIXELS] * 2, input_boxes=[[[1, 2, 9, 9]]] * 2).input_boxes,
        ),
        ValueError,
        "input_boxes is for 2 images, but 1",
    ),
    "picture of another size": (
        lambda desk: desk.segmenter.model(**Sam2Processor(size=64)(PIXELS, return_tensors="pt")),
        ValueError,
        r"\[1, 3, 64, 64\]; this model takes \[batch, 3, 96, 96\]",
    ),
    "image size without whole tokens": (
        lambda desk: Sam2Model.from_pretrained(desk.model, image_size=100),
        ValueError,
        "image_size=100; it must be a multiple of 32",
    ),
    "unknown model id": (
        lambda desk: Sam2Model.from_pretrained("nobody/no-such-model"),
        OSError,
        "'nobody/no-such-model'",
    ),
    "missing model folder": (lambda desk: Sam2Model.from_pretrained("./no/such/folder"), OSError, "no/such/folder"),
    "truncated weights": (
        lambda desk: Sam2Model.from_pretrained(cut_weights(desk)),
        OSError,
        "model.safetensors",
    ),
    "foreign weights": (lambda desk: Sam2Model.from_pretrained(foreign_weights(desk)), OSError, "model.safetensors"),
    "configuration of another model": (
        lambda desk: Sam2Model.from_pretrained(foreign_config(desk)),
        ValueError,
        "config.json is the configuration of a 'bert' model; Sam2Config reads",
    ),
    "saving over a file": (
        lambda desk: desk.segmenter.model.save_pretrained(desk.file("taken", b"mine")),
        OSError,
        "taken",
    ),
}


@pytest.mark.parametrize(("use", "kind", "message"), CASES.values(), ids=CASES)
def test_clear_errors(
    desk: Desk, use: Use, kind: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises((ValueError, OSError)) as caught:
        use(desk)
    assert isinstance(caught.value, kind)
    assert any(each.__module__ == "masklet.errors" for each in type(caught.value).__mro__)
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 20_000), (20_000, 1)])
def test_extreme_images_work(segmenter: ImageSegmenter, height: int, width: int) -> None:
    pixels = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    encoded = segmenter.encode(pixels)
    result = segmenter.segment(encoded, points=[[[width / 2, height / 2]]])
    assert result.masks.shape == (1, height, width)
    assert np.isfinite(result.scores).all()


@pytest.mark.parametrize("what", ["model", "processor", "configuration"])
def test_a_full_disk_leaves_what_was_there(desk: Desk, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = desk.copy_of_the_model()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    saved = {
        "model": desk.segmenter.model,
        "processor": Sam2Processor(size=64),
        "configuration": desk.segmenter.model.config,
    }[what]

    def full(path: Path, text: str, **_: object) -> None:
        path.write_bytes(text.encode()[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device"):
        saved.save_pretrained(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(path.name for path in desk.folder.iterdir()) == ["copy"]
