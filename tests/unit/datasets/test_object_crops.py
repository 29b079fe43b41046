import numpy as np
from tests.support.scenes import SIZE, tiny_bank

from masklet.datasets.sampling import ObjectCrops
from masklet.datasets.sampling.mixture import object_crop
from masklet.datasets.scenes import Scene, SceneGenerator


def scene_of_squares():
    """A red square of 16 pixels with a green one in it, and a blue one far away, in an image of 256."""
    masks = np.zeros((3, 256, 256), bool)
    masks[0, 40:56, 200:216] = masks[1, 44:52, 204:212] = masks[2, 230:240, 10:20] = True
    image = np.zeros((256, 256, 3), np.uint8)
    for channel, mask in enumerate(masks):
        image[mask] = np.eye(3, dtype=np.uint8)[channel] * 255
    return Scene(image, masks, [-1, 0, -1], "squares")


def test_one_object_is_enlarged_with_what_is_around_it():
    seen = set()
    for seed in range(20):
        scene = object_crop(np.random.default_rng(seed), scene_of_squares())
        assert scene.image.shape == (256, 256, 3)
        assert (scene.kind, len(scene.masks)) == ("squares", len(scene.whole_of))
        largest = max(mask.sum() for mask in scene.masks) ** 0.5
        assert 256 / 3.3 < largest < 256 / 1.1  # 16 or 32 pixels are the least that a view shows
        for mask in scene.masks:
            assert (scene.image[mask].max(1) > 100).all()  # not black: image and masks are moved together
        seen.add(tuple(scene.whole_of))
    assert seen == {(-1, 0), (-1,)}  # parts know their wholes still


def test_what_fills_the_image_stays():
    scene = scene_of_squares()
    scene.masks[:] = True
    assert object_crop(np.random.default_rng(0), scene) is scene


def test_a_share_of_the_scenes_and_always_the_same():
    source = SceneGenerator(tiny_bank(), SIZE)
    assert all(np.array_equal(ObjectCrops(source, 0.0).scene(n).image, source.scene(n).image) for n in range(4))
    some = ObjectCrops(source, 0.5)
    is_near = [not np.array_equal(some.scene(n).image, source.scene(n).image) for n in range(24)]
    assert 3 <= sum(is_near) <= 18
    for number in range(6):
        np.testing.assert_array_equal(some.scene(number).image, ObjectCrops(source, 0.5).scene(number).image)
    others = [not np.array_equal(ObjectCrops(source, 0.5, 1).scene(n).image, source.scene(n).image) for n in range(24)]
    assert others != is_near
