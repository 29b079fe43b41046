import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError
from masklet.masks.segmentation import Segmentation
from masklet.media.drawing import object_colour
from masklet.media.overlays import NEGATIVE, POSITIVE, WHITE, draw_overlay
from masklet.prompts.simulated_annotator import Click


@pytest.fixture
def grey():
    return np.full((60, 80, 3), 100, dtype=np.uint8)


def segmentation_of(*boxes):
    masks = np.zeros((len(boxes), 60, 80), dtype=bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
    return Segmentation(masks, np.ones(len(boxes)), tuple(range(1, len(boxes) + 1)))


def test_masks_tint_their_inside_only(grey):
    drawn = np.asarray(draw_overlay(grey, segmentation_of((10, 10, 30, 40), (50, 20, 70, 50))))
    for object_id, (x, y) in ((1, (20, 25)), (2, (60, 35))):
        np.testing.assert_allclose(drawn[y, x], (100 + np.array(object_colour(object_id))) / 2, atol=1)
    np.testing.assert_array_equal(drawn[:, 35:45], grey[:, 35:45])


def test_outline_has_the_colour_of_the_object(grey):
    drawn = np.asarray(draw_overlay(grey, segmentation_of((10, 10, 30, 40))))
    np.testing.assert_allclose(drawn[25, 10].astype(int), object_colour(1), atol=60)
    assert drawn[25, 9].min() > 180  # the white rim around it


def test_clicks_and_boxes(grey):
    clicks = [Click(20, 30, 1), Click(60, 30, 0)]
    drawn = draw_overlay(grey, segmentation_of(), points=clicks, boxes=[(5, 5, 75, 55)])
    assert drawn.getpixel((20, 30)) == POSITIVE
    assert drawn.getpixel((60, 30)) == NEGATIVE
    assert drawn.getpixel((5, 20)) == drawn.getpixel((74, 20)) == drawn.getpixel((40, 54)) == WHITE
    assert drawn.getpixel((75, 20)) == drawn.getpixel((40, 20)) == (100, 100, 100)


def test_clicks_at_the_border_and_beyond(grey):
    drawn = draw_overlay(grey, segmentation_of(), points=[Click(0, 0, 1), Click(500, 500, 0)])
    assert drawn.getpixel((0, 0)) == POSITIVE
    assert drawn.size == (80, 60)


def test_given_picture_stays_as_it_is(grey):
    before = grey.copy()
    from_array = draw_overlay(grey, segmentation_of((10, 10, 30, 40)))
    from_image = draw_overlay(Image.fromarray(grey), segmentation_of((10, 10, 30, 40)))
    np.testing.assert_array_equal(grey, before)
    np.testing.assert_array_equal(np.asarray(from_array), np.asarray(from_image))


def test_masks_of_another_size(grey):
    with pytest.raises(InvalidInputError, match=r"\[30, 80\].*\[60, 80\]"):
        draw_overlay(grey[:30], segmentation_of((0, 0, 5, 5)))


def test_object_colours_differ():
    colours = {object_colour(object_id) for object_id in range(1, 256)}
    assert len(colours) > 250
    neighbours = [np.abs(np.subtract(object_colour(each), object_colour(each + 1))).max() for each in range(1, 255)]
    assert min(neighbours) > 60


@pytest.mark.parametrize(
    "picture", [np.zeros((60, 80), np.uint8), np.zeros((60, 80, 4), np.uint8), np.zeros((60, 80, 3))]
)
def test_other_kinds_of_pictures_are_refused(picture):
    with pytest.raises(InvalidInputError, match=r"RGB or uint8 \[H, W, 3\]; got"):
        draw_overlay(picture, segmentation_of())


def test_clicks_may_be_plain_tuples(grey):
    segmentation = segmentation_of((2, 2, 5, 5))
    plain = draw_overlay(grey, segmentation, points=[(10.4, 11.6, 0)])
    np.testing.assert_array_equal(plain, draw_overlay(grey, segmentation, points=[Click(10, 12, 0)]))


@pytest.mark.parametrize("drawn", [{"points": [(np.nan, 1, 1)]}, {"boxes": [(0, 0, np.inf, 1)]}])
def test_coordinates_that_are_not_finite_are_refused(grey, drawn):
    with pytest.raises(InvalidInputError, match="finite"):
        draw_overlay(grey, segmentation_of((10, 10, 30, 40)), **drawn)


def test_the_smallest_of_masks_that_overlap_shows_one_sheet_thick(grey):
    """Whatever their order, and however many lie below it."""
    boxes = [(5, 5, 75, 55), (20, 15, 60, 45), (10, 10, 70, 50)]
    for order in (boxes, boxes[::-1]):
        segmentation = segmentation_of(*order)
        drawn = np.asarray(draw_overlay(grey, segmentation))
        smallest = segmentation.object_ids[order.index(boxes[1])]
        np.testing.assert_allclose(drawn[30, 40], (100 + np.array(object_colour(smallest))) / 2, atol=1)


def written_at(grey, segmentation):
    """Where ids are written: the center of what they change left and right of the middle, (x, y)."""
    plain, numbered = (np.asarray(draw_overlay(grey, segmentation, ids=ids)) for ids in (False, True))
    rows, columns = np.nonzero((plain != numbered).any(axis=2))
    assert (numbered[rows, columns].min(axis=1) > 200).any()  # white
    halves = (columns < 35, columns >= 35)
    return [(columns[half].mean(), rows[half].mean()) for half in halves]


def test_ids_stand_in_their_masks_where_they_are_wanted(grey):
    found = written_at(grey, segmentation_of((2, 2, 30, 30), (40, 20, 78, 58), (0, 0, 0, 0)))
    np.testing.assert_allclose(found, [(16, 16), (59, 39)], atol=4)


def test_the_id_of_a_mask_stands_beside_a_smaller_one_in_it(grey):
    (left, _), (right, _) = written_at(grey, segmentation_of((0, 0, 80, 60), (38, 0, 80, 60)))
    np.testing.assert_allclose((left, right), (18, 59), atol=4)


def test_outlines_of_a_crowd_are_fine(grey):
    """Of few objects they have a white rim; of many it would hide the masks."""
    boxes = [(3 * place, 10, 3 * place + 2, 50) for place in range(25)]
    few, many = (np.asarray(draw_overlay(grey, segmentation_of(*boxes[:count]))) for count in (2, 25))
    assert few[20:40, 5].min() > 180  # beside the second object, which ends at column 4
    assert many[20:40, 5].max() < 180
