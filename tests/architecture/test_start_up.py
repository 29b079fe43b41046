"""What starting the package loads: not the libraries that take seconds."""

import subprocess
import sys

import pytest

import masklet

HEAVY = ("torch", "numpy", "cv2", "PIL", "safetensors", "huggingface_hub")


def loaded_after(statement: str) -> set[str]:
    report = f"import sys\n{statement}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import masklet", set()),
        ("import masklet.cli.main", {"numpy"}),
        ("from masklet import InvalidInputError", set()),
        ("from masklet import draw_overlay, open_video, write_video", {"numpy", "cv2", "PIL"}),
        ("import masklet.configuration", {"huggingface_hub"}),
        ("from masklet import Sam2Config; Sam2Config(image_size=512)", {"huggingface_hub"}),
    ],
)
def test_heavy_libraries_wait_until_they_are_used(statement: str, allowed: set[str]) -> None:
    assert loaded_after(statement) <= allowed


def modules_after(statement: str) -> set[str]:
    report = f"import sys\n{statement}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


def test_a_command_loads_no_other() -> None:
    chosen = "import typer.main; from masklet.cli.main import app; typer.main.get_command(app).commands['segment']"
    loaded = modules_after(chosen)
    assert "masklet.cli.segment" in loaded
    assert not loaded & {"masklet.cli.train", "masklet.cli.track", "masklet.cli.evaluate"}


def test_segmenting_images_loads_no_sessions() -> None:
    loaded = modules_after("from masklet import ImageSegmenter, draw_overlay")
    assert "masklet.predictors.image_segmenter" in loaded
    unneeded = {"masklet.tracking.saved_session", "huggingface_hub.serialization", "numpy.random", "av"}
    assert not loaded & unneeded


def test_every_public_name_is_there() -> None:
    for name in masklet.__all__:
        assert getattr(masklet, name).__name__ == name
    assert set(masklet.__all__) <= set(dir(masklet))


def test_other_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'masklet' has no attribute 'Sam3Model'"):
        masklet.Sam3Model  # noqa: B018


def test_names_of_later_versions_are_the_same_classes() -> None:
    assert masklet.Sam2ImageProcessor is masklet.Sam2ImageProcessorFast
    assert masklet.Sam2VideoConfig is masklet.Sam2Config
    assert masklet.Sam2VideoMaskDecoderConfig is masklet.Sam2MaskDecoderConfig
    assert masklet.Sam2VideoPromptEncoderConfig is masklet.Sam2PromptEncoderConfig
    for model in (masklet.Sam2Model, masklet.Sam2VisionModel, masklet.Sam2VideoModel):
        assert issubclass(model, masklet.Sam2PreTrainedModel)
    assert issubclass(masklet.Sam2VideoModel, masklet.Sam2VideoPreTrainedModel)
