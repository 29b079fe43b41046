"""One rule for every image file that the package opens: how large it may be, and what a broken one gives."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import masklet
from masklet.cli.main import app
from masklet.cli.track_prompts import prompts_of_options
from masklet.datasets.scenes.bank import read_rgb
from masklet.environment import PIXELS_VARIABLE
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.frame_folders import frame_pixels
from masklet.media.image_files import opened_image
from masklet.media.images import read_image
from masklet.media.mask_images import read_label_map, read_mask_image
from masklet.media.pixel_limit import check_pixels, max_image_pixels
from masklet.processing.image_tensors import image_pixels as pixels_of_path

READERS = {
    "image": read_image,
    "frame": lambda path: frame_pixels(path, "Frame 0"),
    "image of the processor": pixels_of_path,
    "image of a procedural scene": read_rgb,
    "mask": read_mask_image,
    "label map": read_label_map,
    "mask of track": lambda path: prompts_of_options([], [], [f"{path}@0:1"], 0)[0, 1].prompt(100, 100, "the video"),
    "label map of track": lambda path: prompts_of_options([], [], [str(path)], 0)[0, 1].prompt(100, 100, "the video"),
}
PILLOWS_DEFAULT = 178_956_970
reads = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A label map of 100 x 100 pixels with the objects 0 and 1."""
    values = np.zeros((100, 100), np.uint8)
    values[20:40] = 1
    image = Image.fromarray(values)
    image.putpalette([0, 0, 0, 200, 100, 0])
    image.save(tmp_path / "square.png")
    return tmp_path / "square.png"


@reads
def test_more_pixels_than_pillow_allows_are_refused_everywhere(read, file, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_999)
    with pytest.raises(
        UnreadableImageError, match=r"square\.png.*too large.*10000.*9998.*--max-image-pixels"
    ) as caught:
        read(file)
    assert PIXELS_VARIABLE in str(caught.value)
    assert "set_max_image_pixels" in str(caught.value)


@pytest.mark.parametrize("size", [(0, 100), (100, 0), (0, 0)])
def test_an_image_without_pixels_is_refused(size: tuple[int, int]) -> None:
    width, height = size
    with pytest.raises(UnreadableImageError, match=rf"The mask empty\.png has no pixels: it is {width} x {height}\."):
        check_pixels("empty.png", width, height, "mask")


@reads
def test_the_variable_permits_them_everywhere_without_a_warning(read, file, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    monkeypatch.setenv(PIXELS_VARIABLE, "10_000")
    read(file)


@reads
def test_a_lower_limit_holds_everywhere(read, file) -> None:
    masklet.set_max_image_pixels(9_999)
    with pytest.raises(UnreadableImageError, match=r"square\.png.*100 x 100.*9,999 allowed.*--max-image-pixels"):
        read(file)


def test_fourteen_thousand_squared_pixels_can_be_permitted(tmp_path: Path) -> None:
    side = 14_000
    Image.new("1", (side, side)).save(tmp_path / "large.png")
    with pytest.raises(UnreadableImageError, match="178956970"):
        read_mask_image(tmp_path / "large.png")
    masklet.set_max_image_pixels(side * side)
    assert read_mask_image(tmp_path / "large.png").labels.shape == (side, side)


def test_the_python_way_sets_the_variable_that_workers_inherit() -> None:
    masklet.set_max_image_pixels(1234)
    assert os.environ[PIXELS_VARIABLE] == "1234"
    code = "from masklet.media.pixel_limit import max_image_pixels; print(max_image_pixels())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1234"
    masklet.set_max_image_pixels(None)
    assert max_image_pixels() == PILLOWS_DEFAULT


def test_pillows_own_switch_counts_where_no_limit_is_set(file, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert max_image_pixels() is None
    read_image(file)
    masklet.set_max_image_pixels(9_999)
    with pytest.raises(UnreadableImageError, match="too large"):
        read_image(file)
    assert Image.MAX_IMAGE_PIXELS is None


def test_a_lower_limit_leaves_pillow_alone_and_a_higher_one_raises_it(file) -> None:
    before = Image.MAX_IMAGE_PIXELS
    masklet.set_max_image_pixels(10_000)
    read_image(file)
    assert before == Image.MAX_IMAGE_PIXELS
    masklet.set_max_image_pixels(400_000_000)
    read_image(file)
    assert Image.MAX_IMAGE_PIXELS == 400_000_000


def test_none_restores_the_limit_of_pillow_after_it_was_raised(file, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", PILLOWS_DEFAULT // 2)
    for limit in (400_000_000, 500_000_000):
        masklet.set_max_image_pixels(limit)
        read_image(file)
    monkeypatch.delenv(PIXELS_VARIABLE)
    assert max_image_pixels() == PILLOWS_DEFAULT
    masklet.set_max_image_pixels(None)
    assert (max_image_pixels(), Image.MAX_IMAGE_PIXELS) == (PILLOWS_DEFAULT, PILLOWS_DEFAULT // 2)


def test_pillows_warning_as_an_error_is_a_refusal(file, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableImageError, match=r"square\.png.*too large.*10000"):
            read_image(file)


@pytest.mark.parametrize("value", ["", "many", "0", "-5", "1e9", "3.5"])
def test_a_limit_that_is_no_number_is_named(value: str, file, monkeypatch) -> None:
    monkeypatch.setenv(PIXELS_VARIABLE, value)
    with pytest.raises(InvalidInputError, match=f"{PIXELS_VARIABLE}.*'{value}'"):
        read_mask_image(file)


@pytest.mark.parametrize("value", [0, -1, 2.5, "many", True])
def test_a_limit_in_python_is_checked(value) -> None:
    with pytest.raises(InvalidInputError, match=f"max_image_pixels.*{value}"):
        masklet.set_max_image_pixels(value)
    assert PIXELS_VARIABLE not in os.environ


@pytest.mark.parametrize("error", [KeyError("x"), IndexError("y"), ZeroDivisionError(), MemoryError(), OSError("z")])
def test_whatever_a_broken_file_raises_is_one_kind_of_error(error: Exception, file: Path) -> None:
    with (
        pytest.raises(UnreadableImageError, match=r"Cannot read the mask .*square\.png: ."),
        opened_image(file, "mask"),
    ):
        raise error


@pytest.mark.parametrize(
    "command",
    ["segment", "track", "train", "data check", "evaluate stills", "evaluate vos", "evaluate interactive"],
)
def test_every_command_that_reads_images_has_the_option(command: str) -> None:
    help_text = CliRunner().invoke(app, [*command.split(), "--help"]).output
    assert "--max-image-pixels N" in help_text
    assert PIXELS_VARIABLE in help_text
