"""A bank of images in memory, and what every scene fulfils."""

import dataclasses

import numpy as np

from masklet.datasets.scenes import ImageBank, SceneMixture
from masklet.datasets.scenes.bank import LabelledImage, cut_out_objects

SIZE = 96


def tiny_bank(labelled=True):
    rng = np.random.default_rng(0)
    images = tuple(rng.integers(0, 256, (80, 100, 3), np.uint8) for _ in range(2))
    swatches = tuple(np.full((64, 64, 3), value, np.uint8) for value in (30, 120, 220))
    if not labelled:
        return ImageBank(images, swatches, (), ())
    labels = np.zeros((80, 100), np.uint8)
    labels[10:60, 10:45], labels[20:50, 55:95], labels[65:] = 1, 2, 3
    example = LabelledImage(images[0], labels, things=(1, 2), stuff=(3,))
    return ImageBank(images, swatches, (example,), tuple(cut_out_objects(example)))


def only(kind):
    return SceneMixture(**{field.name: float(field.name == kind) for field in dataclasses.fields(SceneMixture)})


def check_scene(scene, size):
    assert scene.image.shape == (size, size, 3)
    assert scene.image.dtype == np.uint8
    count = len(scene.masks)
    assert scene.masks.shape == (count, size, size)
    assert scene.masks.dtype == np.bool_
    assert 2 <= count <= 24
    assert len(scene.whole_of) == count
    areas = scene.masks.sum(axis=(1, 2))
    assert areas.min() >= 20
    assert areas.max() < size * size
    for i in range(count):
        whole = scene.whole_of[i]
        if whole >= 0:
            assert scene.whole_of[whole] == -1
            assert not (scene.masks[i] & ~scene.masks[whole]).any()
            assert areas[i] < areas[whole]
        for j in range(i):
            if whole != j and scene.whole_of[j] != i:
                assert not (scene.masks[i] & scene.masks[j]).any()
