import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.evaluation.images.baselines import GrabCut, InscribedEllipse
from masklet.masks.overlap import intersection_over_union
from masklet.prompts.simulated_annotator import Click


def test_ellipse_truth_table():
    predictor = InscribedEllipse()
    predictor.open(np.zeros((6, 9, 3), dtype=np.uint8))
    (mask,) = predictor.predict(boxes=np.array([[1.0, 1.0, 7.0, 5.0]]))
    rows = ["".join(".#"[int(pixel)] for pixel in row) for row in mask]
    assert rows == [
        ".........",
        "..####...",
        ".######..",
        ".######..",
        "..####...",
        ".........",
    ]


def test_ellipse_of_a_single_pixel_and_its_area():
    predictor = InscribedEllipse()
    predictor.open(np.zeros((200, 300, 3), dtype=np.uint8))
    small, large = predictor.predict(boxes=np.array([[5, 6, 6, 7], [20, 10, 220, 170]]))
    assert small.sum() == 1
    assert small[6, 5]
    assert large.sum() == pytest.approx(np.pi * 100 * 80, rel=0.002)


def test_ellipse_takes_no_clicks():
    predictor = InscribedEllipse()
    predictor.open(np.zeros((4, 4, 3), dtype=np.uint8))
    with pytest.raises(InvalidInputError, match="boxes only"):
        predictor.predict(clicks=[[Click(1, 1, 1)]])


@pytest.fixture
def picture_and_truth():
    generator = np.random.default_rng(0)
    truth = np.zeros((60, 80), dtype=bool)
    truth[20:44, 30:56] = True
    colours = np.where(truth[..., None], (200, 60, 40), (30, 90, 160))
    return (colours + generator.integers(-15, 15, colours.shape)).astype(np.uint8), truth


def test_grabcut_finds_a_distinct_object(picture_and_truth):
    image, truth = picture_and_truth
    predictor = GrabCut()
    predictor.open(image)
    (by_click,) = predictor.predict(clicks=[[Click(42, 31, 1)]])
    (by_box,) = predictor.predict(boxes=np.array([[26.0, 16.0, 60.0, 48.0]]))
    assert by_click[31, 42]
    assert by_click.sum() < 1.2 * np.pi * (0.075 * 60) ** 2  # only the disc around the click may become object
    assert not by_click[~truth].any()
    assert intersection_over_union(by_box, truth) > 0.9


def test_grabcut_is_repeatable(picture_and_truth):
    predictor = GrabCut()
    predictor.open(picture_and_truth[0])
    first, second = (predictor.predict(clicks=[[Click(42, 31, 1)]]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_grabcut_clicks_are_sure(picture_and_truth):
    predictor = GrabCut()
    predictor.open(picture_and_truth[0])
    (mask,) = predictor.predict(clicks=[[Click(42, 31, 1), Click(40, 24, 0), Click(10, 10, 1)]])
    assert mask[31, 42]
    assert not mask[24, 40]
    assert mask[10, 10]


def test_grabcut_with_a_box_of_the_whole_image_keeps_all(picture_and_truth):
    predictor = GrabCut()
    predictor.open(picture_and_truth[0])
    assert predictor.predict(boxes=np.array([[0.0, 0.0, 80.0, 60.0]])).all()


@pytest.mark.parametrize("prompts", [{}, {"clicks": [[Click(1, 1, 1)]], "boxes": np.ones((1, 4))}])
def test_grabcut_takes_clicks_or_boxes(picture_and_truth, prompts):
    predictor = GrabCut()
    predictor.open(picture_and_truth[0])
    with pytest.raises(InvalidInputError, match="either"):
        predictor.predict(**prompts)
