"""The options that hold for all jobs of a batch, in the process that loads the model."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.support.small_video_models import SIZE, small_video_model

from masklet import Sam2Processor, VideoTracker, set_max_image_pixels
from masklet.configuration.presets import SpeedPreset
from masklet.errors import UnreadableImageError
from masklet.jobs.batch_jobs import BatchJob, read_jobs
from masklet.jobs.batch_work import BatchModels, ModelChoice


def job_on_tiff(folder: Path) -> BatchJob:
    """An image of four bands, with a click."""
    bands = np.random.default_rng(0).integers(0, 255, (40, 48, 4), np.uint8)
    tifffile.imwrite(folder / "a.tif", bands, photometric="minisblack", planarconfig="contig")
    (folder / "jobs.jsonl").write_text(json.dumps({"image": "a.tif", "prompts": [{"points": [[9, 9]]}]}))
    return read_jobs(folder / "jobs.jsonl")[0]


def models(bands: Sequence[int] | None) -> BatchModels:
    return BatchModels(VideoTracker(small_video_model(), Sam2Processor(size=SIZE)), "1", 30.0, bands)


def test_bands_are_those_of_all_images_and_a_setting_of_the_batch(tmp_path: Path) -> None:
    job, shown = job_on_tiff(tmp_path), {}
    for bands in ((4, 3, 2), (1,)):
        assert models(bands).settings["bands"] == ",".join(map(str, bands))
        models(bands).do(job, tmp_path / str(bands))
        shown[bands] = np.array(Image.open(tmp_path / str(bands) / "a_overlay.png").convert("RGB"))
    assert (shown[4, 3, 2] != shown[1,]).any()
    assert "bands" not in models(None).settings


def test_presets_and_the_limit_of_pixels_come_with_the_choice_of_the_model(tmp_path: Path) -> None:
    job = job_on_tiff(tmp_path)
    try:
        loaded = ModelChoice(preset=SpeedPreset.FAST, max_image_pixels=100).load()
        assert loaded.tracker.runtime.config.image_size == 192
        with pytest.raises(UnreadableImageError, match="100"):
            loaded.do(job, tmp_path / "out")
    finally:
        set_max_image_pixels(None)
