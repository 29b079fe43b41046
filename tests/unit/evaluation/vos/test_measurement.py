import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from tests.support.litter import litter

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.evaluation.measured_item import MeasuredItem
from masklet.evaluation.vos.baselines import RepeatedFirstMask
from masklet.evaluation.vos.measurement import evaluate_vos, score_saved_masks
from masklet.evaluation.vos.scores import CountingRule, FrameScores
from masklet.masks.run_length import decode_run_length
from masklet.media.label_maps import write_label_map
from masklet.media.mask_images import read_label_map

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
    """A sequence of five frames and one of four; every frame is an image of one colour, told by its number."""
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

    def track(self, frames, prompts, *, may_overlap):
        self.calls += 1
        assert not may_overlap
        assert list(prompts) == [0]
        maps = SWAN if len(frames) == len(SWAN) else PAIR
        for number in range(len(frames)):
            assert frames[number][0, 0, 0] == number
            yield {each: maps[number] == each for each in (1, 2)}


def test_repeating_the_first_mask(root):
    report = evaluate_vos(root, RepeatedFirstMask())
    pair, swan = report.items
    assert (pair.name, pair.frames, swan.name, swan.frames) == ("pair", 4, "swan", 5)
    # Shifted by three pixels, J is 7 / 13 and F 1 / 2 (test_scores.py, test_shifted_squares); the ends do not count.
    assert swan.object_ids == (1,)
    assert swan.values["J-Mean"] == (pytest.approx((1 + 2 * 7 / 13) / 3),)
    assert swan.values["F-Mean"] == (pytest.approx((1 + 2 * 0.5) / 3),)
    assert pair.object_ids == (1, 2)
    assert pair.values["J-Mean"] == (1, 0.5)
    assert report.means["J-Mean"] == pytest.approx((1 + 0.5 + (1 + 2 * 7 / 13) / 3) / 3)  # over objects, not sequences


def test_the_worst_frames_are_kept_with_their_masks(root):
    (worst,) = evaluate_vos(root, RepeatedFirstMask(), sequences=["swan"]).items[0].worst
    assert (worst.object_id, worst.frame) == (1, 2)  # the last frame is worse, but does not count
    assert worst.score == pytest.approx((7 / 13 + 0.5) / 2)
    np.testing.assert_array_equal(decode_run_length(worst.predicted), SWAN[0] == 1)


def test_the_truth_is_perfect(root):
    report = evaluate_vos(root, Following())
    assert report.predictor == "following"
    expected = {"J&F-Mean": 1, "J-Mean": 1, "J-Recall": 1, "J-Decay": 0, "F-Mean": 1, "F-Recall": 1, "F-Decay": 0}
    assert {each: report.means[each] for each in expected} == expected


def test_progress_counts_videos(root):
    seen = []
    evaluate_vos(root, RepeatedFirstMask(), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]


def test_later_objects_count_by_appearance_and_are_prompted_where_they_appear(root):
    """A third object, on the two last frames: unknown to DAVIS' rule, as its tool looks at the first frame."""
    told = []

    class Noting(RepeatedFirstMask):
        def track(self, frames, prompts, *, may_overlap):
            told.append({frame: sorted(masks) for frame, masks in prompts.items()})
            return super().track(frames, prompts, may_overlap=may_overlap)

    for number in (2, 3):
        write_label_map(root / f"Annotations/pair/{number:05}.png", labels((1, 5), (3, 25)))
    by_davis = evaluate_vos(root, Noting(), sequences=["pair"])
    by_appearance = evaluate_vos(root, Noting(), sequences=["pair"], rule=CountingRule.APPEARANCE)
    assert told == [{0: [1, 2]}, {0: [1, 2], 2: [3]}]
    assert by_davis.items[0].object_ids == (1, 2)
    assert by_appearance.items[0].object_ids == (1, 2, 3)
    assert by_appearance.items[0].values["J-Mean"] == (1, 0.5, 1)


def test_masks_are_saved_and_score_the_same(root, tmp_path):
    report = evaluate_vos(root, RepeatedFirstMask(), save_masks=tmp_path / "masks")
    assert sorted(path.name for path in (tmp_path / "masks/pair").iterdir()) == [f"0000{n}.png" for n in range(4)]
    np.testing.assert_array_equal(read_label_map(tmp_path / "masks/pair/00003.png"), PAIR[0])
    saved = score_saved_masks(root, tmp_path / "masks")
    assert saved.items == report.items
    with_rule = score_saved_masks(root, tmp_path / "masks", rule=CountingRule.APPEARANCE, sequences=["swan"])
    assert (with_rule.rule, len(with_rule.items)) == ("appearance", 1)


def test_missing_masks_are_listed_before_anything_is_measured(root, tmp_path, monkeypatch):
    evaluate_vos(root, RepeatedFirstMask(), save_masks=tmp_path / "masks")
    monkeypatch.setattr(FrameScores, "between", None)
    with pytest.raises(FileNotFoundError, match="there is no such folder of masks") as raised:
        score_saved_masks(root, tmp_path / "nosuch")
    assert raised.value.filename == str(tmp_path / "nosuch")
    with pytest.raises(FileNotFoundError, match="masks of 2 of 2 sequences are missing: pair; swan"):
        score_saved_masks(root, tmp_path)
    shutil.rmtree(tmp_path / "masks/swan")
    with pytest.raises(FileNotFoundError, match="masks of 1 of 2 sequences are missing: swan"):
        score_saved_masks(root, tmp_path / "masks")


def test_a_sequence_without_objects_needs_no_masks(root, tmp_path):
    write_label_map(root / "Annotations/swan/00000.png", labels())
    report = evaluate_vos(root, RepeatedFirstMask(), save_masks=tmp_path / "masks")
    assert not (tmp_path / "masks/swan").exists()
    assert score_saved_masks(root, tmp_path / "masks").items == report.items


def test_masks_written_anew_are_not_taken_for_those_that_were_measured(root, tmp_path):
    evaluate_vos(root, RepeatedFirstMask(), save_masks=tmp_path / "masks")
    score_saved_masks(root, tmp_path / "masks", folder=tmp_path / "report")
    again = score_saved_masks(root, tmp_path / "masks", folder=tmp_path / "report")
    assert score_saved_masks(root, tmp_path / "masks", folder=tmp_path / "report") == again
    write_label_map(tmp_path / "masks/swan/00002.png", labels())
    changed = score_saved_masks(root, tmp_path / "masks", folder=tmp_path / "report")
    assert changed.items[0] == again.items[0]
    assert changed.items[1].values["J-Mean"] < again.items[1].values["J-Mean"]


def test_litter_in_the_data_and_among_the_masks_changes_nothing(root, tmp_path, monkeypatch):
    evaluate_vos(root, RepeatedFirstMask(), save_masks=tmp_path / "masks")
    report = score_saved_masks(root, tmp_path / "masks", folder=tmp_path / "report")
    litter(root)
    litter(tmp_path / "masks")
    assert score_saved_masks(root, tmp_path / "masks") == report
    monkeypatch.setattr(FrameScores, "between", None)  # nothing is measured anew
    assert score_saved_masks(root, tmp_path / "masks", folder=tmp_path / "report") == report


@pytest.mark.parametrize("edited", ["Annotations", "JPEGImages"])
def test_finished_videos_whose_files_changed_are_measured_anew(root, tmp_path, edited):
    following = Following()
    evaluate_vos(root, following, folder=tmp_path / "report")
    assert evaluate_vos(root, following, folder=tmp_path / "report").items
    assert following.calls == 2
    os.utime(root / edited / "swan/00002.png", (1, 1))
    evaluate_vos(root, following, folder=tmp_path / "report")
    assert following.calls == 3


def test_a_sequence_without_label_maps_is_listed_unless_others_are_asked_for(root):
    shutil.rmtree(root / "Annotations/swan")
    with pytest.raises(InvalidInputError, match=r"cannot be used: .*swan: image without mask"):
        evaluate_vos(root, Following())
    assert len(evaluate_vos(root, Following(), sequences=["pair"]).items) == 1


def test_what_is_finished_without_saving_masks_is_no_answer_to_saving_them(root, tmp_path):
    evaluate_vos(root, RepeatedFirstMask(), folder=tmp_path / "report")
    with pytest.raises(InvalidInputError, match=r"begun with other settings .*masks"):
        evaluate_vos(root, RepeatedFirstMask(), folder=tmp_path / "report", save_masks=tmp_path / "masks")


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


@pytest.mark.parametrize("damage", [lambda content: content[:60], lambda content: b"", lambda content: b"\0" + content])
def test_resuming_predicts_a_video_with_a_damaged_mask_anew(root, tmp_path, damage):
    whole = evaluate_vos(root, Following(), save_masks=tmp_path / "masks")
    mask = tmp_path / "masks/swan/00002.png"
    saved = mask.read_bytes()
    mask.write_bytes(damage(saved))
    resumed = Following()
    assert evaluate_vos(root, resumed, save_masks=tmp_path / "masks", resume=True) == whole
    assert resumed.calls == 1
    assert mask.read_bytes() == saved


@pytest.mark.parametrize("is_declared", [True, False])
def test_ids_that_label_maps_cannot_hold_are_refused_before_anything_is_tracked(root, tmp_path, is_declared):
    frames = {f"{number:05}": np.where(each, each + np.uint16(299), 0) for number, each in enumerate(SWAN)}
    for name, each in frames.items():
        Image.fromarray(each.astype(np.uint16)).save(root / f"Annotations/swan/{name}.png")
    objects = {"pair": {"objects": {"1": {}, "2": {}}}, "swan": {"objects": {"300": {}}}}
    if is_declared:
        (root / "meta.json").write_text(json.dumps({"videos": objects}))
    predictor = Following()
    options = {"sequences": ["pair", "swan"], "rule": CountingRule.APPEARANCE}
    with pytest.raises(InvalidInputError, match=r"The masks of 'swan' cannot be saved: .* up to 254.* got 300"):
        evaluate_vos(root, predictor, save_masks=tmp_path / "masks", **options)
    assert (predictor.calls, (tmp_path / "masks").exists()) == (0, False)


def changed_frame(root, predictor):
    frame = root / "JPEGImages/swan/00001.png"
    frame.write_bytes(frame.read_bytes() + b" ")


def other_weights(root, predictor):
    predictor.fingerprint = "trained further"


def other_name(root, predictor):
    predictor.name = "another"


@pytest.mark.parametrize(("change", "calls"), [(changed_frame, 1), (other_weights, 2), (other_name, 2)])
def test_masks_of_another_origin_are_not_resumed_from(root, tmp_path, change, calls):
    evaluate_vos(root, Following(), save_masks=tmp_path / "masks")
    resumed = Following()
    change(root, resumed)
    evaluate_vos(root, resumed, save_masks=tmp_path / "masks", resume=True)
    assert resumed.calls == calls


def test_masks_of_other_programs_are_not_resumed_from(root, tmp_path):
    evaluate_vos(root, Following(), save_masks=tmp_path / "masks")
    (tmp_path / "masks/.origins/pair.json").write_text("[")
    (tmp_path / "masks/.origins/swan.json").unlink()
    resumed = Following()
    evaluate_vos(root, resumed, save_masks=tmp_path / "masks", resume=True)
    assert resumed.calls == 2


def test_an_interrupted_sequence_leaves_no_masks(root, tmp_path):
    class Failing(Following):
        def track(self, frames, prompts, *, may_overlap):
            yield prompts[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_vos(root, Failing(), save_masks=tmp_path / "masks")
    assert not (tmp_path / "masks/pair").exists()


def test_a_damaged_frame_is_not_measured_by_its_neighbour(root):
    (root / "JPEGImages/swan/00002.png").write_bytes(b"nothing")

    class Looking(Following):
        def track(self, frames, prompts, *, may_overlap):
            return (prompts[0] for number in range(len(frames)) if frames[number].any() or True)

    with pytest.raises(UnreadableVideoError, match=r"swan cannot be measured: .*swan.00002\.png(?!.*in its place)"):
        evaluate_vos(root, Looking(), sequences=["swan"])


class Wrong(Following):
    """Predicts label maps of another size, or too few of them."""

    def __init__(self, maps):
        self.maps = maps

    def track(self, frames, prompts, *, may_overlap):
        return ({1: each == 1} for each in self.maps)


def test_masks_of_another_size_are_refused(root):
    with pytest.raises(InvalidInputError, match=r"swan.00001 has the shape \[10, 60\], not \[40, 60\]"):
        evaluate_vos(root, Wrong([SWAN[0][:10]] * 5), sequences=["swan"])


@pytest.mark.parametrize("count", [4, 6])
def test_every_frame_needs_masks(root, count):
    with pytest.raises(ValueError, match="zip"):
        evaluate_vos(root, Wrong(SWAN[:1] * count), sequences=["swan"])


@pytest.mark.parametrize(
    ("sequences", "message"),
    [(["goose"], "'goose'"), ([], "empty"), (["swan", "pair", "swan"], "named more often: swan")],
)
def test_sequences_that_cannot_be_measured(root, sequences, message):
    with pytest.raises(InvalidInputError, match=message):
        evaluate_vos(root, RepeatedFirstMask(), sequences=sequences)


def test_all_videos_that_cannot_be_measured_are_listed_before_any_is_tracked(root):
    for number in range(2, 5):
        (root / f"JPEGImages/swan/{number:05d}.png").unlink()
        (root / f"Annotations/swan/{number:05d}.png").unlink()
    following = Following()
    message = "2 of 3 sequences.* 'goose'; .*'swan' has 2 annotated frames, at least 3 are needed"
    with pytest.raises(InvalidInputError, match=message):
        evaluate_vos(root, following, sequences=["pair", "goose", "swan"])
    assert following.calls == 0


def test_a_sequence_without_objects_has_no_say(root):
    write_label_map(root / "Annotations/swan/00000.png", labels())
    report = evaluate_vos(root, Following())
    assert [item.object_ids for item in report.items] == [(1, 2), ()]
    assert report.means["J-Mean"] == 1
    with pytest.raises(InvalidInputError, match="1 videos, no objects"):
        evaluate_vos(root, Following(), sequences=["swan"])


def test_masks_of_the_first_and_the_last_frame_are_not_needed(root, tmp_path):
    report = evaluate_vos(root, RepeatedFirstMask(), save_masks=tmp_path / "masks")
    for path in ("swan/00000.png", "swan/00004.png"):
        (tmp_path / "masks" / path).unlink()
    assert score_saved_masks(root, tmp_path / "masks").items == report.items


def test_objects_that_do_not_count_are_not_among_the_worst(root):
    """Object 3 is annotated on the last frame only, and predicted everywhere."""
    write_label_map(root / "Annotations/pair/00003.png", labels((1, 5), (3, 25)))

    class Inventing(RepeatedFirstMask):
        def track(self, frames, prompts, *, may_overlap):
            return ({1: PAIR[0] == 1, 3: labels((3, 25)) == 3} for _ in range(len(frames)))

    (item,) = evaluate_vos(root, Inventing(), sequences=["pair"], rule=CountingRule.APPEARANCE).items
    assert item.object_ids == (1, 2)
    assert {each.object_id for each in item.worst} == {1, 2}


def test_an_object_that_only_the_last_frame_shows_does_not_count_by_appearance(root):
    for number in range(4):
        write_label_map(root / f"Annotations/swan/{number:05}.png", labels())
    report = evaluate_vos(root, RepeatedFirstMask(), rule=CountingRule.APPEARANCE)
    assert [item.object_ids for item in report.items] == [(1, 2), ()]


def masks_of(root, name, maps):
    """Write grey predictions of `root` and return their folder."""
    folder = root.parent / "predicted"
    (folder / name).mkdir(parents=True)
    for number, each in enumerate(maps):
        Image.fromarray(np.asarray(each, dtype=np.uint8)).save(folder / name / f"{number:05}.png")
    return folder


def test_black_and_white_masks_of_one_object_are_perfect(root):
    masks = masks_of(root, "swan", [np.where(each, 255, 0) for each in SWAN])
    report = score_saved_masks(root, masks, sequences=["swan"])
    assert report.means["J&F-Mean"] == 1
    assert report.items[0].remarks == ()


@pytest.mark.parametrize("rule", CountingRule)
def test_ids_that_are_no_objects_of_the_truth_are_reported(root, rule):
    masks = masks_of(root, "swan", [np.where(each, 128, 0) for each in SWAN])
    (item,) = score_saved_masks(root, masks, sequences=["swan"], rule=rule).items
    assert item.values["J-Mean"] == (0,)
    assert item.remarks == ("the masks show ids that are no objects of the ground truth, which has 1: 128 on 3 frames",)
    assert MeasuredItem.from_dict(json.loads(json.dumps(item.to_dict()))) == item


def test_black_and_white_masks_of_several_objects_are_reported(root):
    masks = masks_of(root, "pair", [np.where(each, 255, 0) for each in PAIR])
    report = score_saved_masks(root, masks, sequences=["pair"])
    (remark,) = report.items[0].remarks
    assert remark.endswith("which has 1; 2: 255 on 2 frames")
    assert report.to_dict()["sequences"][0]["remarks"] == [remark]


def test_objects_that_come_later_are_no_matter_of_a_report(root):
    for number in (2, 3):
        write_label_map(root / f"Annotations/pair/{number:05}.png", labels((1, 5), (3, 25)))
    maps = [*PAIR[:2], labels((1, 5), (3, 25)), labels((3, 25))]
    assert score_saved_masks(root, masks_of(root, "pair", maps), sequences=["pair"]).items[0].remarks == ()


def test_counted_objects_that_no_frame_shows_are_reported(root):
    for number, each in enumerate(SWAN):
        write_label_map(root / f"Annotations/swan/{number:05}.png", each * 3)
    (item,) = evaluate_vos(root, RepeatedFirstMask(), sequences=["swan"]).items
    assert item.remarks == ("objects that count are on no frame of the ground truth: 1; 2",)


def test_a_truth_of_0_and_128_in_the_layout_of_davis_is_refused_before_anything_is_tracked(root):
    for number, each in enumerate(SWAN):
        Image.fromarray(each * 128).save(root / f"Annotations/swan/{number:05}.png")
    following = Following()
    with pytest.raises(InvalidInputError, match=r"1 of 2 sequences.*swan/00000\.png shows the values 128, .*0 and 255"):
        evaluate_vos(root, following)
    assert following.calls == 0
    report = evaluate_vos(root, RepeatedFirstMask(), sequences=["swan"], rule=CountingRule.APPEARANCE)
    assert report.items[0].object_ids == (128,)
