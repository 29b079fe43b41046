import numpy as np
import pytest
from tests.support.scenes import SIZE, check_scene, only, tiny_bank

from masklet.datasets.scenes import MosaicScenes, SceneGenerator, SceneMixture
from masklet.datasets.scenes.generator import mosaic
from masklet.errors import InvalidInputError


def test_four_scenes_become_the_quarters_of_one_with_their_objects_and_parts():
    generator = SceneGenerator(tiny_bank(), SIZE // 2, only("parts_and_wholes"))
    quarters = [generator.scene(seed) for seed in range(4)]
    scene = mosaic(quarters)
    check_scene(scene, SIZE)
    half, first = SIZE // 2, 0
    for quarter, (top, left) in zip(quarters, [(0, 0), (0, half), (half, 0), (half, half)], strict=True):
        region = (slice(top, top + half), slice(left, left + half))
        assert np.array_equal(scene.image[region], quarter.image)
        count = min(6, len(quarter.masks))
        for number in range(count):
            assert np.array_equal(scene.masks[first + number][region], quarter.masks[number])
            assert scene.masks[first + number].sum() == quarter.masks[number].sum()  # nothing elsewhere
            whole = quarter.whole_of[number]
            assert scene.whole_of[first + number] == (whole if whole < 0 else first + whole)
        first += count
    assert len(scene.masks) == first


def test_a_share_of_the_scenes_are_mosaics_and_the_others_are_what_they_would_be():
    mixture = SceneMixture()
    some, plain = MosaicScenes(tiny_bank(), SIZE, mixture, 0.5), SceneGenerator(tiny_bank(), SIZE, mixture)
    kinds = []
    for seed in range(24):
        scene = some.scene(seed)
        check_scene(scene, SIZE)
        kinds.append(scene.kind)
        assert np.array_equal(scene.image, some.scene(seed).image)
        if scene.kind != "mosaic":
            assert np.array_equal(scene.image, plain.scene(seed).image)
    assert 6 <= kinds.count("mosaic") <= 18
    other = MosaicScenes(tiny_bank(), SIZE, mixture, 0.5, seed=1)
    assert [other.scene(number).kind == "mosaic" for number in range(24)] != [kind == "mosaic" for kind in kinds]


def test_odd_sizes_are_refused():
    with pytest.raises(InvalidInputError, match="even number of pixels on a side, got 67"):
        MosaicScenes(tiny_bank(), 67, SceneMixture(), 0.5)
