"""The figures of the official tools for small sequences, to the last digit that they print.

DAVIS: davis2017-evaluation, task semi-supervised. SA-V and MOSE: sav_dataset/utils/sav_benchmark.py of
facebookresearch/sam2, which goes back to vos-benchmark. Recorded with their formulas on these label maps.
"""

import numpy as np
import pytest
from PIL import Image
from tests.support.small_sequences import FRAMES, HEIGHT, WIDTH, predicted_labels, true_labels

from masklet.evaluation.vos.measurement import score_saved_masks
from masklet.evaluation.vos.scores import CountingRule
from masklet.media.label_maps import write_label_map

NAMES = ("J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")
OF_DAVIS = {
    1: (0.464355, 0.666667, 0.492775, 0.406250, 0.250000, 0.562500),
    2: (0.082039, 0.000000, 0.093580, 0.097489, 0.000000, 0.049638),
    3: (0.448402, 0.500000, -0.158482, 0.115435, 0.000000, -0.068489),
}
OF_DAVIS_OVERALL = (0.331599, 0.388889, 0.142624, 0.206391, 0.083333, 0.181216)
OF_SAV = {1: (32.2, 35.7, 28.7), 2: (9.0, 8.2, 9.7), 3: (28.2, 44.8, 11.5)}  # J&F, J, F in percent
OF_SAV_OVERALL = (23.1, 29.6, 16.7)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    (folder / "JPEGImages/discs").mkdir(parents=True)
    for frame in range(FRAMES):
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / f"JPEGImages/discs/{frame:05}.jpg")
        write_label_map(folder / f"Annotations/discs/{frame:05}.png", true_labels(frame))
        write_label_map(folder / f"predicted/discs/{frame:05}.png", predicted_labels(frame))
    return folder


def test_every_digit_of_davis(root):
    report = score_saved_masks(root, root / "predicted")
    (item,) = report.items
    found = {
        object_id: tuple(round(item.values[name][at], 6) for name in NAMES)
        for at, object_id in enumerate(item.object_ids)
    }
    assert found == OF_DAVIS
    assert tuple(round(report.means[name], 6) for name in NAMES) == OF_DAVIS_OVERALL
    assert round(report.means["J&F-Mean"], 6) == 0.268995


def test_every_digit_of_sa_v(root):
    report = score_saved_masks(root, root / "predicted", rule=CountingRule.APPEARANCE)
    (item,) = report.items
    names = ("J&F-Mean", "J-Mean", "F-Mean")
    found = {
        object_id: tuple(float(f"{100 * item.values[name][at]:.1f}") for name in names)
        for at, object_id in enumerate(item.object_ids)
    }
    assert found == OF_SAV
    assert tuple(float(f"{100 * report.means[name]:.1f}") for name in names) == OF_SAV_OVERALL


SAV_ANNOTATED = (
    # of 9 frames, those in the folder of object 000, of object 001, and those that count for each
    ((0, 2, 4, 6, 8), (0, 2, 4, 6, 8), (2, 4, 6), (2, 4, 6)),
    ((0, 2, 4, 6, 8), (4, 6, 8), (2, 4, 6), (6,)),
    ((0, 2, 4), (2, 4, 6, 8), (2,), (4, 6)),
    ((0, 4, 8), (0, 2, 4, 6, 8), (4,), (2, 4, 6)),
    ((0, 2, 4, 6, 8), (2, 4), (2, 4, 6), ()),
)


@pytest.mark.parametrize(("first", "second", "of_first", "of_second"), SAV_ANNOTATED)
def test_each_object_of_sa_v_is_measured_on_the_inner_frames_of_its_own_folder(
    tmp_path, first, second, of_first, of_second
):
    """J is another power of two on each frame that counts; for the others there are no predicted masks at all."""
    truth = np.zeros((16, 64), dtype=np.uint8)
    truth[0, :32] = 1
    for frame in range(9):
        (tmp_path / "JPEGImages_24fps/sav_7").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 16)).save(tmp_path / f"JPEGImages_24fps/sav_7/{frame:05}.jpg")
    for folder, annotated, counted in (("000", first, of_first), ("001", second, of_second)):
        for frame in annotated:
            write_label_map(tmp_path / f"Annotations_6fps/sav_7/{folder}/{frame:05}.png", truth)
        (tmp_path / f"predicted/sav_7/{folder}").mkdir(parents=True)
        for frame in counted:
            shown = truth * (np.arange(64) < 2 ** (frame // 2))
            write_label_map(tmp_path / f"predicted/sav_7/{folder}/{frame:05}.png", shown)
    (item,) = score_saved_masks(tmp_path, tmp_path / "predicted").items
    expected = [np.mean([2 ** (frame // 2) / 32 for frame in each]) for each in (of_first, of_second) if each]
    assert item.values["J-Mean"] == pytest.approx(tuple(expected))


def test_the_rules_differ_for_the_object_that_is_absent_at_first_only(root):
    by_davis, by_appearance = (
        score_saved_masks(root, root / "predicted", rule=rule).items[0].values["J-Mean"] for rule in CountingRule
    )
    assert [first != second for first, second in zip(by_davis, by_appearance, strict=True)] == [True, False, False]
