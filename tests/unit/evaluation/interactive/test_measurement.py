import pickle
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from masklet import Sam2Processor, Sam2VideoModel
from masklet.errors import InvalidInputError
from masklet.evaluation.interactive.annotation_rounds import Effort, Interaction
from masklet.evaluation.interactive.measurement import InteractiveMeasurement, evaluate_interactive
from masklet.evaluation.interactive.predictors import InteractiveModelPredictor
from masklet.evaluation.vos.measured_videos import MeasuredVideos
from masklet.media.label_maps import write_label_map
from masklet.predictors.video_tracker import VideoTracker
from masklet.prompts.simulated_annotator import Click
from masklet.training.recipes.compact import compact_model

HEIGHT, WIDTH, FRAMES = 30, 40, 6


def truth_of(object_id, frame):
    """Object 1 stands still; object 2 comes in the third frame and moves."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    if object_id == 1:
        mask[4:12, 4:12] = True
    elif frame >= 2:
        mask[16:26, 5 + 3 * frame : 15 + 3 * frame] = True
    return mask


@pytest.fixture
def root(tmp_path):
    (tmp_path / "JPEGImages/pair").mkdir(parents=True)
    for frame in range(FRAMES):
        labels = sum(number * truth_of(number, frame).astype(np.uint8) for number in (1, 2))
        Image.fromarray(labels * 100).convert("RGB").save(tmp_path / f"JPEGImages/pair/{frame:05}.png")
        write_label_map(tmp_path / f"Annotations/pair/{frame:05}.png", labels)
    return tmp_path


class Sticking:
    """Knows the object on frames with a click, and repeats the last of these masks on the frames after."""

    name = "sticking"

    def __init__(self):
        self.opened = []

    def open(self, frames):
        assert len(frames) == FRAMES
        self.opened.append({})
        return self

    def click(self, frame, click):
        object_id = next((each for each in (1, 2) if truth_of(each, frame)[click.y, click.x]), 2)
        self.opened[-1][frame] = truth_of(object_id, frame)
        return self.opened[-1][frame]

    def track(self, first):
        known = self.opened[-1]
        return ((frame, known[max(each for each in known if each <= frame)]) for frame in range(first, FRAMES))


@pytest.mark.parametrize("interaction", list(Interaction))
def test_every_object_is_annotated_by_itself(root, interaction):
    predictor = Sticking()
    report = evaluate_interactive(root, predictor, interaction=interaction, effort=Effort(frames=3), rule="appearance")
    (item,) = report.items
    assert report.predictor == f"sticking, {interaction}"
    assert item.object_ids == (1, 2)
    assert len(predictor.opened) == 2
    still, moving = zip(*(item.values[name] for name in ("1 frame", "2 frames", "3 frames")), strict=True)
    assert still == (1, 1, 1)  # right after one click
    assert moving[0] <= moving[1] < moving[2] <= 1  # offline, the last frame comes second, which does not count
    assert item.values["average"][1] == pytest.approx(np.mean(moving))
    assert sorted(predictor.opened[1]) == ([2, 3, 4] if interaction is Interaction.ONLINE else [2, 4, 5])
    assert report.shown() == {"average": "average", "1": "1 frame", "2": "2 frames", "3": "3 frames"}
    assert report.curves()[0].y == pytest.approx([report.means[f"{n} frame{'s' * (n > 1)}"] for n in (1, 2, 3)])
    assert report.to_dict()["effort"] == {"frames": 3, "clicks": 3, "threshold": 0.75}


def test_by_davis_rule_only_objects_of_the_first_frame_count(root):
    assert evaluate_interactive(root, Sticking(), effort=Effort(frames=1)).items[0].object_ids == (1,)


def test_the_settings_tell_the_weights_apart(root):
    other = Sticking()
    other.fingerprint = "other weights"
    settings = [InteractiveMeasurement(MeasuredVideos(str(root)), each).settings() for each in (Sticking(), other)]
    assert settings[0] != settings[1]


def test_images_are_no_videos(tmp_path):
    with pytest.raises(InvalidInputError):
        evaluate_interactive(tmp_path, Sticking())


@pytest.fixture(scope="module")
def tracker():
    torch.manual_seed(0)
    size = {"height": 128, "width": 128}
    return VideoTracker(Sam2VideoModel(compact_model(128)), Sam2Processor.from_pretrained(size=size))


def frames():
    return [np.random.default_rng(frame).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for frame in range(4)]


def test_the_model_takes_clicks_one_after_the_other(tracker):
    video = InteractiveModelPredictor(tracker).open(frames())
    plain = tracker.open(frames())
    clicks = (Click(10, 12, 1), Click(30, 5, 0))
    found = [video.click(1, each) for each in clicks]
    for each, mask in zip(clicks, found, strict=True):
        plain.add(1, 1, points=[(each.x, each.y)], labels=[each.label], keep_earlier=True)
        np.testing.assert_array_equal(plain.segment(1).masks[0], mask)
    tracked = dict(video.track(1))
    assert list(tracked) == [1, 2, 3]
    np.testing.assert_array_equal(tracked[1], found[-1])
    for frame, segmentation in plain.track():
        np.testing.assert_array_equal(tracked[frame], segmentation.masks[0])


def test_going_on_from_a_pause_is_a_single_pass(tracker):
    """What was tracked beyond the frame where the user pauses leaves no trace in what follows."""
    once, again = (InteractiveModelPredictor(tracker).open(frames()) for _ in range(2))
    for video, count in ((once, 3), (again, 4)):
        video.click(0, Click(10, 12, 1))
        assert [frame for frame, _ in islice(video.track(0), count)] == list(range(count))
    for video in (once, again):
        video.click(2, Click(30, 20, 1))
    for first, second in zip(once.track(2), again.track(2), strict=True):
        np.testing.assert_array_equal(first[1], second[1])


def test_the_model_can_be_given_to_workers(tracker):
    predictor = InteractiveModelPredictor(tracker)
    copy = pickle.loads(pickle.dumps(predictor))
    assert copy.fingerprint == predictor.fingerprint
    clicked = [each.open(frames()).click(0, Click(10, 12, 1)) for each in (predictor, copy)]
    np.testing.assert_array_equal(*clicked)
