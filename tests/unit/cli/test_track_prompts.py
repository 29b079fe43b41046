import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.cli.track_prompts import prompts_of_options
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.jobs.prompted_frames import add_prompts, read_prompts
from masklet.media.label_maps import write_label_map
from masklet.media.prompt_entries import PromptEntry
from masklet.prompts.prompt import Prompt


def test_values_without_place_are_about_the_first_frame():
    assert prompts_of_options(["3,4", "5.5,6,0"], ["1,2,3,4", "5,6,7,8"], [], first_frame=4) == {
        (4, 1): PromptEntry(1, Prompt([[3, 4], [5.5, 6]], [1, 0], box=(1, 2, 3, 4))),
        (4, 2): PromptEntry(2, Prompt(box=(5, 6, 7, 8))),
    }


def test_places_name_frames_and_objects():
    assert prompts_of_options(["1,1@30", "2,2,0@30:2", "3,3@:2"], ["1,2,3,4@7:9"], ["in@home.png@8:4"], 0) == {
        (0, 2): PromptEntry(2, Prompt([[3, 3]], [1])),
        (7, 9): PromptEntry(9, Prompt(box=(1, 2, 3, 4))),
        (8, 4): PromptEntry(4, mask_file=Path("in@home.png")),
        (30, 1): PromptEntry(1, Prompt([[1, 1]], [1])),
        (30, 2): PromptEntry(2, Prompt([[2, 2]], [0])),
    }


def test_boxes_on_several_frames_are_counted_on():
    assert list(prompts_of_options([], ["1,2,3,4@5", "1,2,3,4"], [], 0)) == [(0, 2), (5, 1)]


@pytest.mark.parametrize(
    ("points", "boxes", "masks", "message"),
    [
        (["1,2@"], [], [], "--point 1,2@ is not of the form"),
        (["1,2@3:"], [], [], "not of the form"),
        (["1@3"], [], [], "not of the form"),
        (["1,2,2@3"], [], [], "not of the form"),
        ([], ["1,2,3"], [], "--box 1,2,3 is not of the form"),
        ([], ["3,2,1,4@3"], [], "x1 < x2"),
        (["1,2@3:0"], [], [], "numbered from 1"),
        ([], ["1,2,3,4@3:1", "1,2,3,4@3:1"], [], "second for object 1 on frame 3"),
        ([], ["1,2,3,4@3:1"], ["a.png@3:1"], "Object 1 has a box and a mask on frame 3"),
    ],
)
def test_what_is_refused(points, boxes, masks, message):
    with pytest.raises(InvalidInputError, match=message):
        prompts_of_options(points, boxes, masks, 0)


@pytest.fixture
def label_map(tmp_path):
    labels = np.zeros((4, 6), np.uint8)
    labels[0, 0], labels[1, :3], labels[2] = 2, 7, 255
    write_label_map(tmp_path / "map.png", labels)
    return tmp_path / "map.png"


def masks_of(options, height=4, width=6):
    """The masks of `--mask` options by frame and object."""
    entries = prompts_of_options([], [], options, 0)
    prompts, _ = read_prompts(entries, height, width, is_resumed=True)
    return {place: np.count_nonzero(prompt.mask) for place, prompt in prompts.items()}


def test_a_label_map_is_about_all_its_objects(label_map):
    assert masks_of([f"{label_map}@5"]) == {(5, 2): 1, (5, 7): 3}


def test_with_an_object_of_it_a_label_map_is_about_that_one(label_map):
    assert masks_of([f"{label_map}@5:7"]) == {(5, 7): 3}


def test_with_another_object_all_of_a_label_map_is_that_object(label_map):
    assert masks_of([f"{label_map}@5:3"]) == {(5, 3): 10}


def write_grey(path, *values):
    """Write a mask of 4 x 6 pixels with these values in its first row."""
    pixels = np.zeros((4, 6), np.uint8)
    pixels[0, : len(values)] = values
    Image.fromarray(pixels).save(path)
    return str(path)


def test_grey_ids_are_a_label_map_and_masks_are_counted_past_them(tmp_path):
    masks = [
        write_grey(tmp_path / "a.png", 2, 4, 4),
        write_grey(tmp_path / "b.png", 255),
        write_grey(tmp_path / "c.png", 1),
    ]
    assert masks_of(masks) == {(0, 1): 1, (0, 2): 1, (0, 3): 1, (0, 4): 2}


def test_two_label_maps_of_one_object_are_two_objects_on_one_frame_and_one_on_two(tmp_path):
    first, second = write_grey(tmp_path / "a.png", 7), write_grey(tmp_path / "b.png", 0, 7)
    assert list(prompts_of_options([], [], [first, second, f"{second}@5"], 0)) == [(0, 1), (0, 7), (5, 7)]


def test_a_mask_without_anything_from_128_on_is_refused(tmp_path):
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(tmp_path / "a.png")
    with pytest.raises(InvalidInputError, match=r"a\.png is empty.* from 128 on"):
        prompts_of_options([], [], [str(tmp_path / "a.png")], 0)


def test_a_label_map_without_objects_is_refused(tmp_path):
    write_label_map(tmp_path / "map.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(InvalidInputError, match="is empty"):
        prompts_of_options([], [], [str(tmp_path / "map.png")], 0)


def test_an_empty_mask_says_that_a_known_object_is_absent(tmp_path):
    empty = write_grey(tmp_path / "empty.png")
    sentence = f"The mask {empty} is empty: object 2 is taken to be absent from frame 5."

    def absences(points, is_resumed):
        return read_prompts(prompts_of_options(points, [], [f"{empty}@5:2"], 0), 4, 6, is_resumed=is_resumed)[1]

    assert absences(["1,2@0:2"], is_resumed=False) == [sentence]
    assert absences(["1,2@5:2"], is_resumed=False) == []
    assert absences(["1,2@0:1"], is_resumed=True) == [sentence]
    with pytest.raises(InvalidInputError, match=r"empty\.png is empty"):
        absences(["1,2@0:1"], is_resumed=False)


def test_masks_are_checked_when_they_are_read(tmp_path):
    Image.fromarray(np.full((4, 6), 255, np.uint8)).save(tmp_path / "mask.png")
    mask = str(tmp_path / "mask.png")
    assert masks_of([mask]) == {(0, 1): 24}
    with pytest.raises(InvalidInputError, match="6 x 4 pixels; it must be as large as the video, 4 x 6"):
        masks_of([mask], height=6, width=4)
    with pytest.raises(UnreadableImageError, match=r"missing\.png"):
        masks_of(["missing.png"])


def test_masks_of_a_large_label_map_are_held_as_run_lengths(tmp_path):
    labels = np.repeat(np.arange(1, 31, dtype=np.uint8)[None], 400, axis=0).repeat(20, axis=1)
    write_label_map(tmp_path / "map.png", labels)
    entries = prompts_of_options(["5,6@0:3"], [], [str(tmp_path / "map.png")], 0)
    prompts, _ = read_prompts(entries, *labels.shape, is_resumed=False)
    assert len(pickle.dumps(prompts)) < labels.size  # the pixels of 30 masks are 30 times as many bytes
    assert list(prompts) == [(0, number) for number in range(1, 31)]
    assert prompts[0, 3] == Prompt([[5, 6]], mask=labels == 3)


class RecordingVideo:
    """Takes the place of a video; keeps what is added to it."""

    def __init__(self):
        self.calls = []

    def add(self, object_id, frame, prompt, *, keep_earlier):
        self.calls.append((object_id, frame, prompt, keep_earlier))


@pytest.mark.parametrize(
    ("prompt", "keep_earlier"),
    [
        (Prompt([[1, 2]], [0]), True),
        (Prompt([[1, 2]], [0], mask=np.ones((4, 6))), False),
        (Prompt([[1, 2]], box=[0, 0, 3, 3]), False),
    ],
    ids=["clicks correct", "a mask replaces", "a box replaces"],
)
def test_clicks_correct_what_masks_and_boxes_replace(prompt, keep_earlier):
    video = RecordingVideo()
    add_prompts(video, {(3, 1): prompt})
    assert video.calls == [(1, 3, prompt, keep_earlier)]
