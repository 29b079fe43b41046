"""`masklet track` as a user calls it: with a tracker that follows a colour, and with a real one of random weights."""

import json
import random
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.command_errors import assert_one_line
from tests.support.saved_sessions import rewrite_as_format_1
from tests.support.small_video_models import SIZE, small_video_model
from tests.support.video_files import moving_square, write_small_video
from typer.testing import CliRunner

from masklet import Sam2Processor, VideoTracker
from masklet.cli import track as command
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.errors import InvalidInputError
from masklet.formats.reading.sav_folder import SavFolder
from masklet.jobs.track_outputs import TrackOutputs
from masklet.masks.run_length import decode_run_length
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import write_label_map
from masklet.media.mask_images import read_label_map
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import open_video

FRAMES = 12
WRITE_ALL_BUT_OVERLAY = ["--write", "label-maps", "--write", "mask-videos", "--write", "contact-sheet"]


class ColourTracker:
    """Stands for a tracker: every object is where the video is yellow. It knows the sessions it saved."""

    def __init__(self):
        self.interrupt_at = self.fail_at = None
        self.visited = []
        self.prompts_are_kept = True

    def open(self, video):
        return ColourVideo(self, video, {})

    def resume(self, saved, video):
        said = saved.content["session"]["said"] if self.prompts_are_kept else {}
        return ColourVideo(self, video, {int(k): v for k, v in said.items()})


class ColourVideo:
    def __init__(self, tracker, video, said):
        self.tracker, self.video, self.said = tracker, video, said

    @property
    def prompted_frames(self):
        return sorted(self.said)

    @property
    def object_ids(self):
        return tuple(sorted({object_id for each in self.said.values() for object_id in each}))

    def add(self, object_id, frame, prompt, *, keep_earlier):
        self.said.setdefault(frame, []).append(object_id)

    def track(self, direction, frames):
        for frame in frames if direction == "forward" else reversed(frames):
            if frame == self.tracker.fail_at:
                raise InvalidInputError(f"frame {frame} is of another size")
            self.tracker.visited.append(frame)
            if frame == self.tracker.interrupt_at:
                signal.raise_signal(signal.SIGINT)
            yellow = self.video[frame][..., 1] > 100
            count = len(self.object_ids)
            yield frame, Segmentation(np.stack([yellow] * count), np.linspace(0.9, 0.5, count), self.object_ids)

    def drawn_prompts(self):
        return {}

    def writer(self, folder):
        return self

    def write(self):
        nothing = dict.fromkeys(["video_height", "video_width"])
        about = {"model": "colour", "is_stream": False, "num_frames": FRAMES, "dtype": "float32", "max_results": 1}
        said = {str(frame): ids for frame, ids in self.said.items()}
        return {**about, **nothing, "retention": "window", "objects": [], "said": said}


@pytest.fixture
def tracker(monkeypatch):
    tracker = ColourTracker()
    monkeypatch.setattr(command, "load_tracker", lambda *options: tracker)
    return tracker


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder with the video v.mp4 of FRAMES frames."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKLET_DEBUG", raising=False)
    write_small_video(tmp_path / "v.mp4", moving_square(FRAMES))
    return tmp_path


def track(*arguments):
    return CliRunner().invoke(app, ["track", "v.mp4", "-o", "out", *map(str, arguments)])


def tracked_frames(path="out/v.json"):
    return [entry["frame"] for entry in json.loads(Path(path).read_text())["frames"]]


def test_overlay_and_json_of_all_frames(here, tracker):
    result = track("--point", "5,15")
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.stdout.split() == ["out/v.json", "out/v_overlay.mp4"]
    assert sorted(path.name for path in Path("out").iterdir()) == ["v.json", "v_overlay.mp4"]
    content = json.loads(Path("out/v.json").read_text())
    assert content["video"] == {"file_name": "v.mp4", "height": 48, "width": 64, "frame_rate": 25.0, "frame_count": 12}
    with open_video("v.mp4") as video, open_video("out/v_overlay.mp4") as overlay:
        assert (len(overlay), overlay.frame_rate) == (FRAMES, 25)
        for frame, entry in enumerate(content["frames"]):
            (annotation,) = entry["annotations"]
            assert (entry["frame"], annotation["id"]) == (frame, 1)
            mask = decode_run_length(annotation["segmentation"])
            np.testing.assert_array_equal(mask, video[frame][..., 1] > 100)
            assert np.abs(overlay[frame][mask].astype(int) - video[frame][mask]).mean() > 40


def test_all_kinds_of_results(here, tracker):
    result = track("--point", "5,15@2", "--box", "1,1,9,9@4:7", *WRITE_ALL_BUT_OVERLAY)
    assert result.stdout.split() == [
        "out/v.json",
        "out/v_sheet.png",
        "out/v_masks",
        "out/v_object1.mp4",
        "out/v_object7.mp4",
    ]
    assert tracked_frames() == list(range(2, FRAMES))
    labels = read_label_map("out/v_masks/00002.png")
    assert set(np.unique(labels)) == {0, 1}  # the higher score
    with open_video("out/v_object7.mp4") as masks:
        assert len(masks) == FRAMES - 2
        assert np.count_nonzero((masks[0][..., 0] > 127) != (labels == 1)) < 20


def test_the_progress_bar_shows_speed_memory_and_objects(here, tracker, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # what rich takes for a terminal
    monkeypatch.setenv("COLUMNS", "150")
    result = track("--point", "5,15", "--point", "9,15@:2", *WRITE_ALL_BUT_OVERLAY, "--write", "overlay")
    assert result.exit_code == ExitCode.DONE, result.output
    assert re.search(r"Tracking .*12/12.* frames/s .*\d MiB objects: 2", re.sub(r"\x1b\[[0-9;?]*\w", "", result.stderr))
    assert "Drawing the overlay" in result.stderr


def test_json_alone(here, tracker):
    assert track("--point", "5,15", "--write", "none").stdout.split() == ["out/v.json"]


def test_label_maps_as_prompts(here, tracker):
    labels = np.zeros((48, 64), np.uint8)
    labels[:10], labels[20:] = 3, 9
    write_label_map("first.png", labels)
    assert track("--mask", "first.png@1").exit_code == ExitCode.DONE
    content = json.loads(Path("out/v.json").read_text())
    assert [each["id"] for each in content["frames"][0]["annotations"]] == [3, 9]


@pytest.mark.parametrize(
    ("options", "visited"),
    [
        (["--direction", "backward", "--point", "5,15@4"], [4, 3, 2, 1, 0]),
        (["--direction", "both", "--point", "5,15@4", "--range", "2:7"], [4, 5, 6, 3, 2]),
        (["--range", "3:6", "--point", "5,15"], [3, 4, 5]),
    ],
)
def test_directions_and_ranges(here, tracker, options, visited):
    assert track(*options).exit_code == ExitCode.DONE
    assert tracker.visited == visited
    assert tracked_frames() == sorted(visited)
    with open_video("out/v_overlay.mp4") as overlay:
        assert len(overlay) == len(visited)


def test_an_interruption_leaves_a_shorter_result_and_a_session_that_goes_on(here, tracker):
    tracker.interrupt_at = 4
    result = track("--point", "5,15")
    assert result.exit_code == ExitCode.INTERRUPTED
    assert "--resume out/v_session" in result.stderr
    assert tracked_frames() == [0, 1, 2, 3, 4]
    with open_video("out/v_overlay.mp4") as overlay:
        assert len(overlay) == 5
    tracker.interrupt_at, tracker.visited = None, []
    result = track("--resume", "out/v_session")
    assert result.exit_code == ExitCode.DONE, result.output
    assert tracker.visited == list(range(5, FRAMES))
    assert tracked_frames() == list(range(FRAMES))
    assert not Path("out/v_session").exists()


def test_an_unfinished_session_that_goes_on_in_another_folder_is_removed_at_the_end(here, tracker):
    tracker.interrupt_at = 4
    assert track("--point", "5,15").exit_code == ExitCode.INTERRUPTED
    tracker.interrupt_at = 8
    assert track("--resume", "out/v_session", "--save-session", "kept").exit_code == ExitCode.INTERRUPTED
    assert Path("out/v_session").exists()
    tracker.interrupt_at = None
    assert track("--resume", "out/v_session", "--save-session", "other").exit_code == ExitCode.DONE
    assert [path for path in ("out/v_session", "kept", "other") if Path(path).exists()] == ["kept", "other"]


def test_an_unfinished_session_is_not_replaced(here, tracker):
    tracker.interrupt_at = 4
    assert track("--point", "5,15", "--save-session", "kept").exit_code == ExitCode.INTERRUPTED
    before = Path("kept/session.json").read_bytes()
    refused = track("--point", "9,9", "--save-session", "kept")
    assert_one_line(refused, ExitCode.WRONG_USAGE, "--resume kept;", "kept holds an unfinished", "delete")
    assert Path("kept/session.json").read_bytes() == before
    tracker.interrupt_at = None
    assert track("--resume", "kept", "--save-session", "kept/../kept").exit_code == ExitCode.DONE
    assert tracked_frames() == list(range(FRAMES))
    assert track("--point", "9,9", "--save-session", "kept").exit_code == ExitCode.DONE  # it is finished


def test_a_session_without_prompts_has_nothing_to_go_on_with(here, tracker):
    assert track("--point", "5,15", "--save-session", "kept").exit_code == ExitCode.DONE
    tracker.prompts_are_kept = False
    assert_one_line(track("--resume", "kept"), ExitCode.WRONG_USAGE, "no prompts; give --point, --box or --mask")


def test_the_kept_session_is_named_before_drawing_is_interrupted_too(here, tracker, monkeypatch):
    tracker.interrupt_at = 4

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrackOutputs, "write", interrupted)
    result = track("--point", "5,15")
    assert result.exit_code == ExitCode.INTERRUPTED
    assert "--resume out/v_session" in result.stderr


def test_a_kept_session_is_corrected(here, tracker):
    assert track("--point", "5,15", "--save-session", "kept").exit_code == ExitCode.DONE
    tracker.visited = []
    assert track("--resume", "kept", "--point", "9,9,0@7").exit_code == ExitCode.DONE
    assert tracker.visited == list(range(7, FRAMES))
    assert tracked_frames() == list(range(FRAMES))


def test_label_maps_of_a_kept_session_that_they_cannot_hold_are_refused_before_tracking(here, tracker):
    assert track("--point", "5,15@0:70000", "--save-session", "kept").exit_code == ExitCode.DONE
    tracker.visited = []
    result = track("--resume", "kept", "--point", "9,9@7:2", "--write", "label-maps")
    assert_one_line(result, ExitCode.WRONG_USAGE, "object ids up to 65535; got 70000")
    assert tracker.visited == []


@pytest.mark.parametrize("interrupt_at", [None, 4])
def test_files_of_other_tools_hold_the_frames_tracked_so_far(here, tracker, interrupt_at):
    tracker.interrupt_at = interrupt_at
    products = ("youtube-vis", "sa-v", "mot", "objects")
    result = track("--box", "5,15,9,19@0:2", "--point", "5,15@0:300", *(f"--write={each}" for each in products))
    assert result.exit_code == (ExitCode.DONE if interrupt_at is None else ExitCode.INTERRUPTED)
    names = ("v.json", "v_youtube_vis.json", "v_auto.json", "v_mot.txt", "v_objects.csv")
    assert result.stdout.split() == [f"out/{name}" for name in names]
    count = len(tracked_frames())
    assert count == (FRAMES if interrupt_at is None else 5)
    of_youtube_vis = json.loads(Path("out/v_youtube_vis.json").read_text())
    assert [len(each["segmentations"]) for each in of_youtube_vis["annotations"]] == [count, count]
    shutil.copy("v.mp4", "out")
    (of_sav,) = SavFolder("out")
    assert of_sav.annotated_frames == tuple(range(count))
    entry = json.loads(Path("out/v.json").read_text())["frames"][3]["annotations"][0]
    np.testing.assert_array_equal(of_sav.masks(3)[1], decode_run_length(entry["segmentation"]))
    assert len(Path("out/v_mot.txt").read_text().splitlines()) == 2 * count
    assert [line.split(",")[0] for line in Path("out/v_objects.csv").read_text().splitlines()] == [
        "object_id",
        "2",
        "300",
    ]


def test_an_error_midway_leaves_what_was_tracked(here, tracker):
    tracker.fail_at = 6
    result = track("--point", "5,15")
    assert_one_line(result, ExitCode.WRONG_USAGE, "frame 6 is of another size")
    assert tracked_frames() == [0, 1, 2, 3, 4, 5]
    assert Path("out/v_session").is_dir()


def test_an_error_at_once_leaves_nothing(here, tracker):
    tracker.fail_at = 0
    assert_one_line(track("--point", "5,15"), ExitCode.WRONG_USAGE)
    assert not Path("out").exists()


def test_damaged_frames_of_a_folder_are_warned_of(here, tracker):
    Path("frames").mkdir()
    for number, frame in enumerate(moving_square(4)):
        Image.fromarray(frame).save(f"frames/{number}.png")
    Path("frames/2.png").write_bytes(b"no picture")
    result = CliRunner().invoke(app, ["track", "frames", "-o", "out", "--point", "5,15", "--write", "label-maps"])
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.stdout.split() == ["out/frames.json", "out/frames_masks"]
    assert result.stderr == "Warning: the folder frames: Frame 2 cannot be decoded; frame 1 stands in its place.\n"
    assert sorted(path.name for path in Path("out/frames_masks").iterdir()) == ["0.png", "1.png", "2.png", "3.png"]


@pytest.mark.parametrize(
    ("options", "code", "fragment"),
    [
        ([], 2, "nothing to track"),
        (["--point", "5"], 2, "--point 5 is not of the form"),
        (["--point", "5,5@12"], 2, "prompt is on frame 12; tracked are frames 0 to 11"),
        (["--point", "500,5"], 2, "The point (500, 5)"),
        (["--box", "500,5,600,9"], 2, "500"),
        (["--point", "5,5@2", "--range", "3:"], 2, "prompt is on frame 2; tracked are frames 3 to 11"),
        (["--range", "3:50", "--point", "5,5"], 2, "frames 0 to 11"),
        (["--mask", "missing.png"], 3, "missing.png"),
        (["--direction", "sideways", "--point", "5,5"], 2, "sideways"),
        (["--point", "5,5@:70000", "--write", "label-maps"], 2, "object ids up to 65535; got 70000"),
        (["--resume", "nowhere"], 3, "nowhere"),
        (["--resume", "empty"], 3, "--resume takes a folder that masklet track saved"),
        (["--point", "5,5", "-o", "v.mp4"], 2, "-o v.mp4 is a file"),
        (["--point", "5,5", "-o", "v.mp4/out"], 3, "v.mp4: Not a directory"),
        (["--point", "5,5", "--save-session", "v.mp4"], 3, "v.mp4: Not a directory"),
    ],
)
def test_what_is_refused_before_any_work(here, tracker, options, code, fragment):
    Path("empty").mkdir()
    assert_one_line(track(*options), code, fragment)
    assert tracker.visited == []
    assert not Path("out").exists()


def test_a_session_that_is_none_is_refused_before_the_video_is_opened(here):
    result = CliRunner().invoke(app, ["track", "missing.mp4", "--resume", "nowhere"])
    assert_one_line(result, ExitCode.FILE_PROBLEM, "nowhere holds no session.json")


def test_videos_that_cannot_be_read(here, tracker):
    Path("no.mp4").write_text("no video")
    for name in ("no.mp4", "missing.mp4"):
        result = CliRunner().invoke(app, ["track", name, "--point", "5,5"])
        assert_one_line(result, ExitCode.FILE_PROBLEM, name)


# with a real model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "small"
    small_video_model().save_pretrained(folder)
    Sam2Processor(size=SIZE).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("zoom", [[], ["--zoom"]])
def test_going_on_after_an_interruption_gives_what_one_run_gives(here, model, monkeypatch, zoom):
    options = ["--model", model, "--device", "cpu", "--write", "none"]
    prompts = ["--box", "2,8,10,16@5", "--point", "30,30@5:2", "--direction", "both", *zoom]
    assert track(*options, *prompts).exit_code == ExitCode.DONE
    expected = Path("out/v.json").read_text()
    record = RecordedMasks.record

    def record_and_interrupt(self, frame, segmentation):
        record(self, frame, segmentation)
        if frame in {8, 2}:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(RecordedMasks, "record", record_and_interrupt)
    result = track(*options, *prompts)
    assert result.exit_code == ExitCode.INTERRUPTED, result.output
    assert tracked_frames() == [5, 6, 7, 8]
    if not zoom:
        assert_one_line(track(*options, "--resume", "out/v_session", "--zoom"), 2, "began without --zoom")
    result = track(*options, "--resume", "out/v_session", "--direction", "both")
    assert result.exit_code == ExitCode.INTERRUPTED, result.output
    assert tracked_frames() == list(range(2, FRAMES))
    result = track(*options, "--resume", "out/v_session", "--direction", "both")
    assert result.exit_code == ExitCode.DONE, result.output
    assert Path("out/v.json").read_text() == expected


def test_zoom_gives_what_the_tracker_gives(here, model):
    result = track("--model", model, "--device", "cpu", "--write", "none", "--box", "2,8,10,16", "--zoom")
    assert result.exit_code == ExitCode.DONE, result.output
    tracker = VideoTracker.from_pretrained(model, device="cpu")
    with open_video(Path("v.mp4")) as reader:
        video = tracker.open(reader, zoom=True)
        video.add(1, 0, box=(2, 8, 10, 16))
        assert video.session.objects()[0].views[0].size < (reader.height, reader.width)
        expected = dict(video.track())
    with RecordedMasks(reader.height, reader.width) as recorded:
        recorded.load(Path("out/v.json"), FRAMES)
        for number in range(FRAMES):
            np.testing.assert_array_equal(recorded[number].masks, expected[number].masks)


def test_a_session_of_another_video_is_refused(here, model):
    options = ["--model", model, "--device", "cpu", "--write", "none"]
    assert track(*options, "--point", "5,15", "--range", ":2", "--save-session", "kept").exit_code == ExitCode.DONE
    write_small_video(here / "v.mp4", moving_square(4, 32, 48))
    assert_one_line(track(*options, "--resume", "kept"), ExitCode.WRONG_USAGE, "another video")


@pytest.fixture
def kept(here, model):
    """The options of a session of the first frames, in the folder kept, and what is written when it goes on."""
    options = ["--model", model, "--device", "cpu", "--write", "none"]
    assert track(*options, "--point", "5,15", "--range", ":4", "--save-session", "kept").exit_code == ExitCode.DONE
    assert track(*options, "--resume", "kept").exit_code == ExitCode.DONE
    return options, Path("out/v.json").read_text()


def test_of_a_damaged_session_no_other_masks_are_written(here, kept):
    """Bits are flipped and files cut off, wherever; the command says so in a line, or writes what it would have."""
    options, expected = kept
    chance, refused = random.Random(3), 0
    for _ in range(24):
        shutil.rmtree("damaged", ignore_errors=True)
        shutil.copytree("kept", "damaged")
        path = chance.choice(sorted(path for path in Path("damaged").iterdir() if path.stat().st_size))
        content = bytearray(path.read_bytes())
        place = chance.randrange(len(content))
        content[place] ^= 1 << chance.randrange(8)
        path.write_bytes(content if chance.random() < 0.7 else content[:place])
        Path("out/v.json").unlink(missing_ok=True)
        result = track(*options, "--resume", "damaged")
        if result.exit_code == ExitCode.DONE:
            assert Path("out/v.json").read_text() == expected
        else:
            assert_one_line(result, ExitCode.FILE_PROBLEM, "damaged holds no readable session")
            refused += 1
    assert refused > 20


def test_masks_and_memories_of_two_saves_do_not_go_together(here, kept):
    """As a kill between two steps of saving would have left them."""
    options, _ = kept
    assert track(*options, "--resume", "kept", "--range", ":6", "--save-session", "later").exit_code == ExitCode.DONE
    (earlier,), (later,) = Path("kept").glob("masks-*"), Path("later").glob("masks-*")
    later.write_bytes(earlier.read_bytes())
    assert_one_line(track(*options, "--resume", "later"), ExitCode.FILE_PROBLEM, "later holds no readable session")


def test_sessions_of_the_first_version_go_on_unless_masks_and_memories_differ(here, kept):
    options, expected = kept
    with open_video("v.mp4") as video:
        session = VideoTracker.from_pretrained(options[1]).resume("kept", video).session
        rewrite_as_format_1(Path("kept"), session)
    shutil.copy("out/v.json", "all.json")
    masks = json.loads(Path("all.json").read_text())
    for stop, is_used in ((4, True), (3, False)):
        Path("kept/masks.json").write_text(json.dumps({**masks, "frames": masks["frames"][:stop]}))
        Path("out/v.json").unlink()
        result = track(*options, "--resume", "kept")
        if is_used:
            assert result.exit_code == ExitCode.DONE, result.output
            assert Path("out/v.json").read_text() == expected
        else:
            assert_one_line(result, ExitCode.FILE_PROBLEM, "its masks are older than its memories")


@pytest.mark.parametrize("option", ["--save-every=-1", "--save-every=nan", "--save-every=often"])
def test_how_often_is_a_number_of_seconds(here, tracker, option):
    assert_one_line(track("--point", "5,15", option), ExitCode.WRONG_USAGE, "--save-every")
