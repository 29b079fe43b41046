"""Requests as CVAT sends them to serverless functions."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.segmentation import Segmentation
from masklet.server.adapters.nuclio import NuclioTracker, interact

SIZE = (8, 12)


def encoded(red=10):
    content = BytesIO()
    Image.new("RGB", SIZE[::-1], (red, 20, 30)).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def block(left):
    mask = np.zeros(SIZE, dtype=bool)
    mask[2:5, left : left + 3] = True
    return Segmentation(mask[None], np.array([0.9]), [1])


def segmented(body):
    asked = []
    answer = interact(body, lambda pixels, prompt: asked.append((pixels.shape, prompt.to_json())) or block(4))
    return answer, asked[0]


def test_clicks_become_a_mask_of_rows():
    body = {"image": encoded(), "pos_points": [[5, 3], [6, 3]], "neg_points": [[1, 1]], "obj_bbox": None}
    answer, asked = segmented(body)
    assert asked == ((8, 12, 3), {"points": [[5, 3, 1], [6, 3, 1], [1, 1, 0]]})
    assert answer["mask"] == block(4).mask(0).astype(int).tolist()


def test_a_box_of_two_corners():
    _, (_, prompt) = segmented({"image": encoded(), "pos_points": [], "neg_points": [], "obj_bbox": [[1, 2], [7, 6]]})
    assert prompt == {"box": [1, 2, 7, 6]}


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"image": "!"}, InvalidInputError, "no image in base64"),
        ({"image": "AAAA"}, UnreadableImageError, "Not an image"),
        ({"pos_points": [[1, 2, 3]]}, InvalidInputError, "pos_points is a list of"),
        ({"obj_bbox": [[1, 2]]}, InvalidInputError, "two corners"),
        ({"neg_points": [["a", 2]]}, InvalidInputError, "neg_points is a list of"),
        ({"pos_points": []}, InvalidInputError, "no click and no box"),
    ],
)
def test_what_is_no_request(change, error, reason):
    body = {"image": encoded(), "pos_points": [[1, 2]], "neg_points": [], "obj_bbox": None}
    with pytest.raises(error, match=reason):
        interact(body | change, lambda pixels, prompt: block(4))


class Stream:
    """Follows a block that moves by one pixel a frame."""

    def __init__(self):
        self.frames, self.box = 0, None

    def push(self, image):
        self.frames += 1
        return self.frames - 1, block(self.frames - 1)

    def add(self, object_id, frame, *, box):
        assert (object_id, frame) == (1, 0)
        self.box = box

    def segment(self, frame):
        assert self.box is not None


class Tracker:
    """Opens streams; counts how often a frame is encoded."""

    def __init__(self):
        self.encoded = 0

    def encode(self, image):
        self.encoded += 1
        return image

    def open(self):
        return Stream()


def test_boxes_are_followed_by_their_states():
    opener = Tracker()
    tracker = NuclioTracker(opener)
    begun = tracker.track({"image": encoded(), "shapes": [[0, 2, 3, 5], [1, 1, 2, 2]], "states": []})
    assert begun["shapes"] == [[0, 2, 3, 5], [1, 1, 2, 2]]
    assert len(set(begun["states"])) == 2
    for frame in (1, 2):
        answer = tracker.track({"image": encoded(), "shapes": [], "states": begun["states"]})
        assert answer == {"shapes": [[frame, 2, frame + 3, 5]] * 2, "states": begun["states"]}
    assert opener.encoded == 3, "once a frame, however many objects are followed"


def test_too_many_objects_end_the_oldest():
    tracker = NuclioTracker(Tracker(), most_streams=2)
    states = [tracker.track({"image": encoded(), "shapes": [[0, 2, 3, 5]]})["states"][0] for _ in range(3)]
    assert tracker.track({"image": encoded(), "states": states[1:]})["shapes"]
    with pytest.raises(InvalidInputError, match="is not followed any more"):
        tracker.track({"image": encoded(), "states": states[:1]})
    with pytest.raises(InvalidInputError, match="Up to 2 objects are followed at once; got 3 shapes"):
        tracker.track({"image": encoded(), "shapes": [[0, 2, 3, 5]] * 3})
