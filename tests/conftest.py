"""What tests of several folders share."""

from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def usual_limit_on_image_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test sets by --max-image-pixels, or the environment by itself, ends with the test."""
    monkeypatch.setenv("MASKLET_MAX_IMAGE_PIXELS", "1")
    monkeypatch.delenv("MASKLET_MAX_IMAGE_PIXELS")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small random model for images of 96 pixels, and its processor. Not to be changed."""
    from tests.support.small_models import small_model

    from masklet import Sam2Processor

    folder = tmp_path_factory.mktemp("saved") / "model"
    small_model(96).save_pretrained(folder)
    Sam2Processor(size=96).save_pretrained(folder)
    return folder
