"""What is a swatch, what is a backdrop, and what is neither."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rendering.backdrops import swatches_and_backdrops

from masklet.errors import InvalidInputError


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(image.astype(np.uint8)).save(path)


def test_a_sheet_is_cut_and_a_large_image_is_a_backdrop(tmp_path: Path) -> None:
    sheet = np.full((32 + 176, 1024, 3), 255)
    sheet[16 : 16 + 128, 16 : 16 + 128] = 90
    save(tmp_path / "sheet.png", sheet)
    save(tmp_path / "room.png", np.full((220, 240, 3), 50))
    save(tmp_path / "small.png", np.full((220, 100, 3), 50))
    save(tmp_path / "panoptic" / "labels.png", np.full((220, 240, 3), 7))
    swatches, backdrops = swatches_and_backdrops([tmp_path])
    assert [(each.min(), each.max()) for each in swatches] == [(90, 90)]
    assert [(each.shape, each.max()) for each in backdrops] == [((220, 240, 3), 50)]


def test_one_of_each_is_needed(tmp_path: Path) -> None:
    save(tmp_path / "room.png", np.full((220, 240, 3), 50))
    with pytest.raises(InvalidInputError, match="0 swatches and 1 photographs"):
        swatches_and_backdrops([tmp_path])
