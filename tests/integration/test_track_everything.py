"""`masklet track --everything` as a user calls it, in a world of squares that each have a shade of their own."""

import csv
import json
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.command_errors import assert_one_line
from tests.support.shade_world import ShadeFinder, shade_tracker, world
from typer.testing import CliRunner

from masklet import VideoTracker
from masklet.cli import track as command
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.media.mask_images import read_label_map

COUNT, LATER = 12, 4
POLICY = ("--set", "min_area=30", "--set", "every=3", "--lookback")
FILES = ("w.json", "w_masks", "w_youtube_vis.json", "w_auto.json", "w_mot.txt", "w_objects.csv")
PRODUCTS = tuple(f"--write={each}" for each in ("label-maps", "youtube-vis", "sa-v", "mot", "objects"))


@pytest.fixture(scope="module")
def squares():
    """Frames and masks of a square that moves, and of one that is there from frame LATER on."""
    moving = [(4 * number, 0) for number in range(COUNT)]
    return world({60: moving, 120: [None] * LATER + [(40, 40)] * (COUNT - LATER)})


@pytest.fixture
def here(tmp_path, monkeypatch, squares):
    """An empty current folder with the frames in the folder w."""
    monkeypatch.chdir(tmp_path)
    Path("w").mkdir()
    for number, frame in enumerate(squares[0]):
        Image.fromarray(frame).save(f"w/{number:05}.png")
    monkeypatch.setattr(command, "load_tracker", lambda *options: shade_tracker())
    monkeypatch.setattr(VideoTracker, "_mask_finder", lambda self, policy: ShadeFinder())
    return tmp_path


def track(*arguments):
    return CliRunner().invoke(app, ["track", "w", "-o", "out", *arguments])


def contents():
    paths = [path for path in Path("out").rglob("*") if path.is_file() and "session" not in str(path)]
    return {str(path): path.read_bytes() for path in paths}


def test_all_files_hold_the_objects_from_where_they_appear(here, squares):
    result = track("--everything", *POLICY, *PRODUCTS)
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.stdout.split() == [f"out/{name}" for name in FILES]
    for frame in range(COUNT):
        labels = read_label_map(Path(f"out/w_masks/{frame:05}.png"))
        for number, mask in enumerate(squares[1][frame], start=1):
            assert np.count_nonzero((labels == number) != mask) <= 12  # corners are round
    masklets = json.loads(Path("out/w_auto.json").read_text())
    assert (masklets["masklet_id"], masklets["masklet_first_appeared_frame"]) == ([1, 2], [0, LATER])
    first, second = csv.DictReader(Path("out/w_objects.csv").read_text().splitlines())
    assert (second["first_frame"], second["last_frame"], second["frames_present"]) == ("4", "11", "8")
    assert "2 objects" in result.stderr
    assert first["ended"] == "present"


@pytest.mark.parametrize("frame", [2, 5])
def test_ctrl_c_leaves_shorter_files_and_can_be_continued(here, monkeypatch, frame):
    assert track("--everything", *POLICY, *PRODUCTS).exit_code == ExitCode.DONE
    expected = contents()
    searched = ShadeFinder.generate_encoded

    def interrupted(self, encoded, *, known=None):
        if len(self.searched) == frame // 3:
            signal.raise_signal(signal.SIGINT)
        return searched(self, encoded, known=known)

    with monkeypatch.context() as patch:
        patch.setattr(ShadeFinder, "generate_encoded", interrupted)
        stopped = track("--everything", *POLICY, *PRODUCTS)
    assert stopped.exit_code == ExitCode.INTERRUPTED
    assert "--resume out/w_session" in stopped.stderr
    frames = json.loads(Path("out/w.json").read_text())["frames"]
    assert 0 < len(frames) < COUNT
    of_youtube_vis = json.loads(Path("out/w_youtube_vis.json").read_text())
    assert of_youtube_vis["videos"][0]["length"] == len(frames)
    assert all(len(each["segmentations"]) == len(frames) for each in of_youtube_vis["annotations"])
    assert len(json.loads(Path("out/w_auto.json").read_text())["masklet"]) == len(frames)
    continued = track("--resume", "out/w_session", *PRODUCTS)
    assert continued.exit_code == ExitCode.DONE, continued.output
    assert contents() == expected
    assert not Path("out/w_session").exists()


def test_small_objects_are_followed_in_enlarged_views_also_after_a_break(here, monkeypatch):
    frames, masks = world({60: [(4 * number, 8) for number in range(COUNT)], 120: [(40, 40)] * COUNT}, side=4)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(f"w/{number:05}.png")
    trackers = [shade_tracker(sharpness=4) for _ in range(4)]  # edges of enlarged squares are smooth
    following = iter(trackers)
    monkeypatch.setattr(command, "load_tracker", lambda *options: next(following))
    options = ("--everything", "--set", "min_area=8", "--set", "every=3", "--write=label-maps")
    assert track(*options).exit_code == ExitCode.DONE
    assert track(*options, "--zoom").exit_code == ExitCode.DONE
    assert trackers[1].runtime.encoded > trackers[0].runtime.encoded == COUNT  # views, besides the frames
    for frame in range(1, COUNT):
        labels = read_label_map(Path(f"out/w_masks/{frame:05}.png"))
        np.testing.assert_array_equal(labels, masks[frame, 0] + 2 * masks[frame, 1])  # without corners in the frame
    expected = contents()
    searched = ShadeFinder.generate_encoded

    def interrupted(self, encoded, *, known=None):
        if len(self.searched) == 1:
            signal.raise_signal(signal.SIGINT)
        return searched(self, encoded, known=known)

    with monkeypatch.context() as patch:
        patch.setattr(ShadeFinder, "generate_encoded", interrupted)
        assert track(*options, "--zoom").exit_code == ExitCode.INTERRUPTED
    assert track("--resume", "out/w_session", "--write=label-maps").exit_code == ExitCode.DONE
    assert contents() == expected


def test_after_a_kill_it_goes_on_where_it_was_saved(here, monkeypatch):
    searched = ShadeFinder.generate_encoded

    def copied(self, encoded, *, known=None):
        """Keep the session as a kill at this moment would leave it."""
        if len(self.searched) == 2:
            shutil.copytree("out/w_session", "left")
        return searched(self, encoded, known=known)

    with monkeypatch.context() as patch:
        patch.setattr(ShadeFinder, "generate_encoded", copied)
        assert track("--everything", *POLICY, *PRODUCTS, "--save-every", "0.000001").exit_code == ExitCode.DONE
    expected = contents()
    shutil.rmtree("out")
    continued = track("--resume", "left", *PRODUCTS)
    assert continued.exit_code == ExitCode.DONE, continued.output
    assert contents() == expected


def test_objects_have_their_numbers_in_the_overlay_where_that_is_asked_for(here):
    assert track("--everything", *POLICY, "--write=contact-sheet").exit_code == ExitCode.DONE
    plain = np.asarray(Image.open("out/w_sheet.png")).astype(int)
    assert track("--everything", *POLICY, "--write=contact-sheet", "--ids").exit_code == ExitCode.DONE
    is_changed = (np.asarray(Image.open("out/w_sheet.png")) != plain).any(-1)
    assert is_changed[:20, :20].any()  # in the square of the first frame
    assert not is_changed[20:64, :64].any()


def test_what_the_budget_has_no_room_for_is_counted(here):
    result = track("--everything", *POLICY, "--set", "max_objects=1", "--write", "objects")
    assert result.exit_code == ExitCode.DONE
    assert re.search(r"\b1 object\b", result.stderr)
    assert "masks found were left out: there were max_objects already." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--everything", "--point", "5,5"], "without prompts; leave out --point"),
        (["--everything", "--range", "2:5", "--direction", "both"], "leave out --direction, --range"),
        (["--everything", "--policy", "nope"], "There is no policy 'nope'; the policies are careful, default, fast"),
        (["--everything", "--set", "evry=3"], "--set evry: there is no such setting. The nearest is every"),
        (["--everything", "--set", "match=0.1"], "match must be from 0.5 to 1; got 0.1"),
        (
            ["--everything", "--set", "granularity=some"],
            "granularity=some: the value must be one of surest",
        ),
        (["--point", "5,5", "--policy", "fast"], "--policy can be given with --everything only"),
        (["--point", "5,5", "--lookback"], "--lookback can be given with --everything only"),
        ([], "or --everything"),
    ],
)
def test_options_that_cannot_be_used_are_one_line(here, arguments, fragment):
    assert_one_line(track(*arguments), ExitCode.WRONG_USAGE, fragment)
    assert not Path("out").exists()


def test_a_session_keeps_its_policy_and_takes_no_prompts(here):
    assert track("--everything", *POLICY, "--save-session", "kept").exit_code == ExitCode.DONE
    assert_one_line(track("--resume", "kept", "--policy", "fast"), ExitCode.WRONG_USAGE, "keeps its policy")
    assert_one_line(track("--resume", "kept", "--point", "5,5"), ExitCode.WRONG_USAGE, "leave out --point")
