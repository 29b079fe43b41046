import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.evaluation.video_baselines import RepeatedFirstMask
from masklet.evaluation.vos import evaluate_vos, score_saved_masks
from masklet.evaluation.vos_scores import CountingRule
from masklet.media.label_maps import read_label_map, write_label_map

HEIGHT, WIDTH, SIDE = 40, 60, 10


def labels(*objects):
    """A label map with squares of 10 pixels, each given by its id and its left edge."""
    drawn = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for object_id, left in objects:
        drawn[15 : 15 + SIDE, left : left + SIDE] = object_id
    return drawn


SWAN = [labels((1, 20))] * 2 + [labels((1, 23))] * 2 + [labels((1, 50))]
PAIR = [labels((1, 5), (2, 40)), labels((1, 5), (2, 40)), labels((1, 5)), labels((1, 5))]


@pytest.fixture
def root(tmp_path):
    """A sequence of five frames and one of four; every frame is a picture of one colour, told by its number."""
    for name, maps in (("swan", SWAN), ("pair", PAIR)):
        (tmp_path / "data/JPEGImages" / name).mkdir(parents=True)
        for number, each in enumerate(maps):
            Image.new("RGB", (WIDTH, HEIGHT), (number, 0, 0)).save(tmp_path / f"data/JPEGImages/{name}/{number:05}.png")
            write_label_map(tmp_path / f"data/Annotations/{name}/{number:05}.png", each)
    return tmp_path / "data"


class Following:
    """Knows the truth of `root`, and counts how often it is asked."""

    name = "following"

    def __init__(self):
        self.calls = 0

    def track(self, frames, first_labels):
        self.calls += 1
        maps = SWAN if len(frames) == len(SWAN) else PAIR
        for number in range(len(frames)):
            assert frames[number][0, 0, 0] == number
            yield maps[number]


def test_repeating_the_first_mask(root):
    report = evaluate_vos(root, RepeatedFirstMask())
    pair, swan = report.sequences
    assert (pair.sequence, pair.frames, swan.sequence, swan.frames) == ("pair", 4, "swan", 5)
    # Shifted by three pixels, J is 7 / 13 and F 1 / 2 (tests/unit/masks/test_boundaries.py); the ends do not count.
    assert [each.object_id for each in swan.objects] == [1]
    assert swan.objects[0].j.mean == pytest.approx((1 + 2 * 7 / 13) / 3)
    assert swan.objects[0].f.mean == pytest.approx((1 + 2 * 0.5) / 3)
    assert [each.object_id for each in pair.objects] == [1, 2]
    assert [each.j.mean for each in pair.objects] == [1, 0.5]
    assert report.scores.j.mean == pytest.approx((1 + 0.5 + (1 + 2 * 7 / 13) / 3) / 3)  # over objects, not sequences


def test_the_truth_is_perfect(root):
    report = evaluate_vos(root, Following())
    assert report.predictor == "following"
    assert report.scores.j_and_f == 1
    assert report.scores.f.recall == 1
    assert report.scores.j.decay == 0


def test_progress_counts_frames(root):
    seen = []
    evaluate_vos(root, RepeatedFirstMask(), sequences=["swan"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 5) for number in range(1, 6)]


def test_masks_are_saved_and_score_the_same(root, tmp_path):
    report = evaluate_vos(root, RepeatedFirstMask(), save_masks=tmp_path / "masks")
    assert sorted(path.name for path in (tmp_path / "masks/pair").iterdir()) == [f"0000{n}.png" for n in range(4)]
    np.testing.assert_array_equal(read_label_map(tmp_path / "masks/pair/00003.png"), PAIR[0])
    saved = score_saved_masks(root, tmp_path / "masks")
    assert saved.sequences == report.sequences
    with_rule = score_saved_masks(root, tmp_path / "masks", rule=CountingRule.APPEARANCE, sequences=["swan"])
    assert (with_rule.rule, len(with_rule.sequences)) == ("appearance", 1)


def test_resuming_predicts_only_what_is_not_complete(root, tmp_path):
    whole = evaluate_vos(root, Following(), save_masks=tmp_path / "masks")
    (tmp_path / "masks/swan/00004.png").unlink()
    resumed = Following()
    assert evaluate_vos(root, resumed, save_masks=tmp_path / "masks", resume=True) == whole
    assert resumed.calls == 1
    assert (tmp_path / "masks/swan/00004.png").is_file()
    afresh = Following()
    evaluate_vos(root, afresh, save_masks=tmp_path / "masks")
    assert afresh.calls == 2


def test_an_interrupted_sequence_leaves_no_masks(root, tmp_path):
    class Failing(Following):
        def track(self, frames, first_labels):
            yield first_labels
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_vos(root, Failing(), save_masks=tmp_path / "masks")
    assert not (tmp_path / "masks/pair").exists()


def test_a_damaged_frame_is_not_measured_by_its_neighbour(root):
    (root / "JPEGImages/swan/00002.png").write_bytes(b"nothing")

    class Looking(Following):
        def track(self, frames, first_labels):
            return (first_labels for number in range(len(frames)) if frames[number].any() or True)

    with pytest.raises(UnreadableVideoError, match="Frame 2"):
        evaluate_vos(root, Looking(), sequences=["swan"])


class Wrong(Following):
    """Predicts label maps of another size, or too few of them."""

    def __init__(self, maps):
        self.maps = maps

    def track(self, frames, first_labels):
        return iter(self.maps)


def test_label_maps_of_another_size_are_refused(root):
    with pytest.raises(InvalidInputError, match=r"swan.00000\.png has the shape \[10, 60\], not \[40, 60\]"):
        evaluate_vos(root, Wrong([SWAN[0][:10]] * 5), sequences=["swan"])


@pytest.mark.parametrize("count", [4, 6])
def test_every_frame_needs_one_label_map(root, count):
    with pytest.raises(ValueError, match="zip"):
        evaluate_vos(root, Wrong(SWAN[:1] * count), sequences=["swan"])


@pytest.mark.parametrize(("sequences", "message"), [(["goose"], "'goose'"), ([], "empty")])
def test_sequences_that_are_not_there(root, sequences, message):
    with pytest.raises(InvalidInputError, match=message):
        evaluate_vos(root, RepeatedFirstMask(), sequences=sequences)


def test_a_sequence_without_objects(root):
    write_label_map(root / "Annotations/swan/00000.png", labels())
    with pytest.raises(InvalidInputError, match="'swan' shows no object"):
        evaluate_vos(root, RepeatedFirstMask(), sequences=["swan"])
