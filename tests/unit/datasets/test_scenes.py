import dataclasses

import numpy as np
import pytest
from tests.support.scenes import SIZE, check_scene, only, tiny_bank

from masklet.datasets.scenes import SceneGenerator, SceneMixture
from masklet.datasets.scenes.generator import KINDS
from masklet.errors import InvalidInputError


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [SIZE, 67])
def test_every_kind_makes_valid_scenes(kind, size):
    generator = SceneGenerator(tiny_bank(), size, only(kind))
    for seed in range(12):
        scene = generator.scene(seed)
        assert scene.kind == kind
        check_scene(scene, size)


def test_every_kind_has_a_weight():
    assert [field.name for field in dataclasses.fields(SceneMixture)] == list(KINDS)


def test_the_same_number_gives_the_same_scene_and_another_number_or_seed_another():
    first, again = SceneGenerator(tiny_bank(), SIZE), SceneGenerator(tiny_bank(), SIZE)
    first.scene(0)  # earlier scenes leave no trace
    for seed in (5, 6, 7, 8):
        one, two = first.scene(seed), again.scene(seed)
        assert np.array_equal(one.image, two.image)
        assert np.array_equal(one.masks, two.masks)
        assert (one.whole_of, one.kind) == (two.whole_of, two.kind)
    assert not np.array_equal(first.scene(5).image, first.scene(6).image)
    other = SceneGenerator(tiny_bank(), SIZE, seed=1)
    assert not np.array_equal(first.scene(5).image, other.scene(5).image)


def test_parts_and_wholes_both_are_objects():
    generator = SceneGenerator(tiny_bank(), SIZE, only("parts_and_wholes"))
    parts = [whole for seed in range(20) for whole in generator.scene(seed).whole_of if whole >= 0]
    assert len(parts) > 20


def test_without_labelled_images_only_synthetic_kinds_appear():
    generator = SceneGenerator(tiny_bank(labelled=False), SIZE)
    kinds = set()
    for seed in range(40):
        scene = generator.scene(seed)
        check_scene(scene, SIZE)
        kinds.add(scene.kind)
    assert kinds == {"clutter", "small_goods", "parts_and_wholes", "micrograph"}


def test_swatches_alone_or_images_alone_suffice():
    bank = tiny_bank(labelled=False)
    for part in ({"images": ()}, {"swatches": ()}):
        generator = SceneGenerator(dataclasses.replace(bank, **part), SIZE)
        for seed in range(10):
            check_scene(generator.scene(seed), SIZE)


def test_what_cannot_be_made_is_refused():
    with pytest.raises(InvalidInputError, match="at least 32"):
        SceneGenerator(tiny_bank(), size=16)
    with pytest.raises(InvalidInputError, match="labelled"):
        SceneGenerator(tiny_bank(labelled=False), SIZE, only("copy_paste"))
    with pytest.raises(InvalidInputError, match="weights"):
        SceneMixture(clutter=-1.0)
