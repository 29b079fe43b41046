import cv2
import numpy as np
import pytest

from masklet.datasets.scenes import shapes
from masklet.datasets.scenes.bank import Cutout, ImageBank, LabelledImage
from masklet.datasets.scenes.finish import finish
from masklet.datasets.scenes.labelled_images import labelled_image
from masklet.datasets.scenes.layers import Composition, Layer, Stamp, paint, visible_objects

SIZE = 64


def box(top, left, height, width, colour, **how):
    stamp = Stamp(top, left, np.ones((height, width), np.float32))
    return Layer(stamp, np.full((height, width, 3), colour, np.float32), **how)


def test_visible_masks_are_exactly_the_pixels_of_each_layers_colour():
    composition = Composition(np.zeros((SIZE, SIZE, 3), np.float32))
    composition.layers = [
        box(-5, 10, 40, 40, 50),
        box(20, -9, 30, 40, 100),
        box(30, 30, 99, 99, 150),
        box(70, 70, 9, 9, 200),
    ]
    image = paint(composition, (0, 0), 1.0)
    objects = visible_objects(composition)
    for item, colour in zip(objects, (50, 100, 150, 200), strict=True):
        assert np.array_equal(item.mask, image[..., 0] == colour)
    assert objects[0].hidden == pytest.approx(1 - objects[0].mask.sum() / (35 * 40))
    assert objects[2].hidden == 0
    assert not objects[3].mask.any()


def test_objects_of_the_background_lose_what_is_painted_over_them():
    behind = np.zeros((SIZE, SIZE), np.bool_)
    behind[:32] = True
    composition = Composition(
        np.zeros((SIZE, SIZE, 3), np.float32), [behind], [box(0, 0, 16, SIZE, 90, is_object=False)]
    )
    (item,) = visible_objects(composition)
    assert item.mask.sum() == 16 * SIZE
    assert item.hidden == 0.5


def test_a_whole_is_all_that_is_visible_of_its_group_and_silent_layers_count_to_it():
    layers = [
        box(0, 0, 40, 40, 10, group=3, is_object=False),
        box(5, 5, 10, 10, 20, group=3),
        box(30, 0, 34, 64, 30),
    ]
    part, cover, whole = visible_objects(Composition(np.zeros((SIZE, SIZE, 3), np.float32), layers=layers))
    assert (part.group, part.is_whole, whole.group, whole.is_whole) == (3, False, 3, True)
    assert part.mask.sum() == 100
    assert whole.mask.sum() == 30 * 40
    assert not (whole.mask & cover.mask).any()


def test_shadows_darken_beside_the_object_only():
    composition = Composition(np.full((SIZE, SIZE, 3), 200, np.float32), layers=[box(20, 20, 20, 20, 90, shadow=0.5)])
    image = paint(composition, shadow_offset=(6, 0), shadow_blur=1.0)
    assert (image[20:40, 20:40] == 90).all()
    assert image[42, 30, 0] < 150
    assert image[10, 30, 0] == 200


@pytest.mark.parametrize("maker", sorted(set(shapes.SHAPES), key=lambda maker: maker.__name__))
def test_shapes_lie_within_the_canvas_and_are_not_empty(maker):
    rng = np.random.default_rng(1)
    for centre in [(32, 32), (0, 63), (60, 5)]:
        stamp = shapes.draw(shapes.place(maker(rng), centre, 14, rng.uniform(0, 6)), SIZE, softness=0.5)
        assert stamp.top >= 0
        assert stamp.left >= 0
        assert stamp.top + stamp.alpha.shape[0] <= SIZE
        assert stamp.left + stamp.alpha.shape[1] <= SIZE
        assert 0 <= stamp.alpha.min() <= stamp.alpha.max() <= 1 + 1e-6
    middle = shapes.draw(shapes.place(maker(rng), (32, 32), 20, 0.0), SIZE)
    assert (middle.alpha > 0.5).sum() > 20


def test_a_drawn_disc_has_its_place_and_area_and_a_hole_is_open():
    disc = shapes.fourier_outline(np.random.default_rng(0), 0.0, 1)
    stamp = shapes.draw(shapes.place([disc, disc * 0.5], (30.0, 24.0), 16, 0.0), SIZE)
    weight = stamp.alpha.sum()
    rows, columns = np.mgrid[: stamp.alpha.shape[0], : stamp.alpha.shape[1]]
    # Pixels that the outline touches count as inside, which adds a quarter of a pixel all round.
    assert weight == pytest.approx(np.pi * (16.25**2 - 7.75**2), rel=0.03)
    assert (stamp.alpha * (columns + 0.5 + stamp.left)).sum() / weight == pytest.approx(30, abs=0.1)
    assert (stamp.alpha * (rows + 0.5 + stamp.top)).sum() / weight == pytest.approx(24, abs=0.1)
    assert stamp.alpha[24 - stamp.top, 30 - stamp.left] == 0


def test_divided_parts_cover_the_stamp_and_each_is_seen():
    rng = np.random.default_rng(2)
    stamp = shapes.draw(shapes.place(shapes.blob(rng), (32, 32), 22, 0.0), SIZE)
    for count in (2, 3, 4):
        parts = shapes.divide(rng, stamp, count)
        colours = [np.zeros((*part.alpha.shape, 3), np.float32) for part in parts]
        layers = [Layer(part, colour, group=0) for part, colour in zip(parts, colours, strict=True)]
        *visible, whole = visible_objects(Composition(np.zeros((SIZE, SIZE, 3), np.float32), layers=layers))
        assert len(visible) == count
        assert min(item.mask.sum() for item in visible) > 0.05 * whole.mask.sum()
        assert sum(item.mask.sum() for item in visible) == whole.mask.sum() == (stamp.alpha > 0.5).sum()


def test_an_inset_stays_inside_its_whole():
    whole = Stamp(10, 10, np.ones((20, 20), np.float32))
    piece = shapes.rim(Stamp(12, 25, np.ones((10, 10), np.float32)), 2)
    inside = shapes.inset(whole, piece)
    assert inside.alpha.sum() == pytest.approx((30 - 23) * (24 - 10), abs=8)  # the rim's corners are round
    assert (inside.alpha[:, 30 - inside.left :] == 0).all()


def test_a_warped_cutout_keeps_colour_and_mask_together():
    image = np.full((40, 60, 3), (0, 0, 255), np.uint8)
    image[10:30, 15:50] = (255, 0, 0)
    cutout = Cutout(image, (image[..., 0] > 0).astype(np.uint8) * np.uint8(255))
    rng = np.random.default_rng(3)
    for _ in range(10):
        turn = shapes.random_turn(rng, rng.uniform(0.4, 1.4), np.pi)
        colour, stamp = shapes.warp_cutout(cutout, SIZE, (32.0, 32.0), turn)
        core = cv2.erode((stamp.alpha > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert core.any()
        assert (colour[core] @ [1, 0, -1]).min() > 0


def test_labelled_views_show_image_and_masks_alike():
    labels = np.zeros((90, 120), np.uint8)
    labels[20:70, 10:60], labels[:50, 70:110] = 1, 2
    image = np.stack([labels == 0, labels == 1, labels == 2], axis=-1).astype(np.uint8) * np.uint8(255)
    bank = ImageBank((), (), (LabelledImage(image, labels, (1, 2), ()),), ())
    seen = 0
    for seed in range(20):
        composition = labelled_image(np.random.default_rng(seed), bank, SIZE)
        for mask in composition.background_masks:
            seen += bool(mask.any())
            strongest = composition.background.argmax(axis=-1)
            matches = [(mask == (strongest == channel)).mean() for channel in (1, 2)]
            assert max(matches) > 0.99
    assert seen > 15


def test_the_finish_moves_nothing():
    image = np.full((SIZE, SIZE, 3), 40, np.float32)
    image[20:44, 16:36] = 210
    for seed in range(40):
        finished = finish(np.random.default_rng(seed), image).astype(np.float32).mean(axis=-1)
        middle = (finished[24:40, 20:32].mean() + finished[:12].mean()) / 2
        rows, columns = np.nonzero(finished > middle)
        assert rows.mean() == pytest.approx(31.5, abs=0.6)
        assert columns.mean() == pytest.approx(25.5, abs=0.6)
