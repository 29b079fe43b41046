"""The options that hold for all jobs of a batch, in the process that loads the model."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.support.small_video_models import SIZE, small_video_model
from tests.support.video_files import moving_square, write_small_video

from masklet import Sam2Processor, VideoTracker, set_max_image_pixels
from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.jobs.batch_jobs import BatchJob, read_jobs
from masklet.jobs.batch_work import BatchModels, ModelChoice, session_file
from masklet.jobs.track_outputs import TrackOutputs
from masklet.runtimes.names import RuntimeName


def job_on_tiff(folder: Path) -> BatchJob:
    """An image of four bands, with a click."""
    bands = np.random.default_rng(0).integers(0, 255, (40, 48, 4), np.uint8)
    tifffile.imwrite(folder / "a.tif", bands, photometric="minisblack", planarconfig="contig")
    (folder / "jobs.jsonl").write_text(json.dumps({"image": "a.tif", "prompts": [{"points": [[9, 9]]}]}))
    return read_jobs(folder / "jobs.jsonl")[0]


def models(bands: Sequence[int] | None = None, save_every: float = 30.0) -> BatchModels:
    tracker = VideoTracker(small_video_model(), Sam2Processor(size=SIZE))
    return BatchModels(tracker, RuntimeName.EAGER, "1", save_every, bands)


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


def test_the_runtime_is_a_setting_of_the_batch(exported_model: tuple[Path, Path]) -> None:
    checkpoint, exported = map(str, exported_model)
    assert ModelChoice(checkpoint).load().settings["runtime"] == "eager"
    for name in ("onnxruntime", "openvino"):
        pytest.importorskip(name, reason=f"pip install 'masklet[{name}]'")
        assert ModelChoice(exported, runtime=RuntimeName(name)).load().settings["runtime"] == name
    assert ModelChoice(exported).load().settings["runtime"] == "openvino"


def saved_and_interrupted(job: BatchJob, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Track a video to its end, be interrupted before any result is written, and return the index of its session."""
    with monkeypatch.context() as patched:
        patched.setattr(TrackOutputs, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            models(save_every=0.0).do(job, folder)
    return session_file(job, folder)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("frames", [4, 6])
def test_a_session_of_a_video_that_was_replaced_is_dropped(
    tmp_path: Path, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small_video(tmp_path / "a.mp4", moving_square(6))
    (tmp_path / "jobs.jsonl").write_text(json.dumps({"video": "a.mp4", "prompts": [{"points": [[9, 9]]}]}))
    (job,) = read_jobs(tmp_path / "jobs.jsonl")
    assert saved_and_interrupted(job, tmp_path / "out", monkeypatch).is_file()
    write_small_video(tmp_path / "a.mp4", [255 - frame for frame in moving_square(frames)])
    assert models().do(job, tmp_path / "out") == models().do(job, tmp_path / "fresh") == frames
    assert content(tmp_path / "out") == content(tmp_path / "fresh")


def test_a_damaged_session_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_video(tmp_path / "a.mp4", moving_square(4))
    (tmp_path / "jobs.jsonl").write_text(json.dumps({"video": "a.mp4", "everything": True}))
    (job,) = read_jobs(tmp_path / "jobs.jsonl")
    saved_and_interrupted(job, tmp_path / "out", monkeypatch).write_text("{}")
    models().do(job, tmp_path / "out")
    models().do(job, tmp_path / "fresh")
    assert content(tmp_path / "out") == content(tmp_path / "fresh")


def test_prompts_that_cannot_be_used_are_an_error_with_a_session_and_without(tmp_path: Path) -> None:
    write_small_video(tmp_path / "a.mp4", moving_square(2))
    line = {"video": "a.mp4", "prompts": [{"points": [[9, 9]], "frame": 7}]}
    (tmp_path / "jobs.jsonl").write_text(json.dumps(line))
    (job,) = read_jobs(tmp_path / "jobs.jsonl")
    session_file(job, tmp_path / "out").parent.mkdir(parents=True)
    with pytest.raises(InvalidInputError, match="A prompt is on frame 7"):
        models().do(job, tmp_path / "out")
