"""The tracking example of the documents does what they say of it, on every frame: a ball and a man are followed."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from tests.documents.markdown import ROOT, commands
from typer.testing import CliRunner

from masklet.cli.main import app
from masklet.masks.run_length import decode_run_length

# Where the ball is on each of the 48 frames, (x, y) of its centre in pixels, checked by eye; it is 32 pixels wide.
BALL = (
    (244, 121), (244, 120), (245, 114), (246, 110), (246, 106), (247, 102), (251, 97), (251, 98),
    (252, 99), (254, 102), (256, 113), (256, 121), (256, 131), (256, 140), (259, 166), (260, 183),
    (260, 199), (261, 215), (265, 204), (266, 194), (267, 185), (269, 178), (271, 168), (272, 165),
    (274, 164), (275, 163), (277, 168), (278, 174), (279, 179), (280, 188), (281, 208), (282, 211),
    (280, 201), (279, 190), (276, 175), (274, 170), (272, 166), (271, 164), (268, 165), (266, 167),
    (264, 170), (262, 176), (259, 191), (258, 201), (255, 211), (254, 222), (258, 204), (260, 193),
)  # fmt: skip
RADIUS = 16
# Nothing of the man, on any frame, is outside of these; shirt, trousers and shoes are about 9,000 pixels.
MAN_LEFT, MAN_TOP, MAN_RIGHT, MAN_BOTTOM = 220, 15, 335, 270


def examples() -> set[str]:
    documents = (ROOT / "README.md", ROOT / "docs/command_line.md")
    of_each = [
        {line for line in commands(each) if line.startswith("masklet track assets/juggle.mp4")} for each in documents
    ]
    return set.intersection(*of_each)


@pytest.fixture
def masks_of_frames(readers_folder: Path) -> list[dict[int, np.ndarray]]:
    """The masks of each frame, by object, that the one example of both documents writes."""
    (example,) = examples()
    result = CliRunner().invoke(app, shlex.split(example)[1:])
    assert result.exit_code == 0, result.output
    frames = json.loads((readers_folder / "out/juggle.json").read_text())["frames"]
    assert [each["frame"] for each in frames] == list(range(len(BALL)))
    return [{each["id"]: decode_run_length(each["segmentation"]) for each in of["annotations"]} for of in frames]


def test_ball_and_man_are_followed_through_every_frame(masks_of_frames: list[dict[int, np.ndarray]]) -> None:
    rows, columns = np.mgrid[:270, :480] + 0.5
    overlaps = []
    for frame, (masks, (x, y)) in enumerate(zip(masks_of_frames, BALL, strict=True)):
        ball = (columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2
        overlaps.append((masks[1] & ball).sum() / (masks[1] | ball).sum())
        man = masks[2]
        inside = man[MAN_TOP:MAN_BOTTOM, MAN_LEFT:MAN_RIGHT].sum()
        assert inside == man.sum(), f"frame {frame}: the man's mask is beside him"
        assert 7_500 < inside < 10_500, f"frame {frame}: the man has {inside} pixels"
        seen_rows = np.flatnonzero(man.any(axis=1))
        assert seen_rows[0] < 40, f"frame {frame}: the man has no hair"
        assert seen_rows[-1] > 240, f"frame {frame}: the man has no shoes"
    assert min(overlaps) > 0.55, f"frame {np.argmin(overlaps)}: the mask of the ball is something else"
    assert np.mean(overlaps) > 0.8
