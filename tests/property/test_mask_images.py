"""What masklet writes as masks and label maps, and what any program writes in black and white, comes back."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import MAXIMUM_OBJECT_ID, object_ids_in, write_label_map
from masklet.media.mask_files import write_mask_png
from masklet.media.mask_images import read_label_map, read_mask_image

sizes = array_shapes(min_dims=2, max_dims=2, max_side=12)
ids = st.sampled_from([0, 0, 0, 1, 2, 3, 127, 128, MAXIMUM_OBJECT_ID]) | st.integers(0, MAXIMUM_OBJECT_ID)
overwritten = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # one file for all examples

WAYS = {
    "bits": Image.fromarray,
    "grey": lambda mask: Image.fromarray(mask.astype(np.uint8) * 255),
    "0 and 1": lambda mask: Image.fromarray(mask.astype(np.uint8)),
    "16 bits": lambda mask: Image.fromarray(mask.astype(np.uint16) * 65535),
    "colours": lambda mask: Image.fromarray(mask.astype(np.uint8) * 255).convert("RGB"),
    "palette": lambda mask: Image.fromarray(mask.astype(np.uint8) * 255).convert("RGB").convert("P"),
    "smallest palette": lambda mask: Image.fromarray(mask.astype(np.uint8) * 255).convert("RGB").quantize(2),
}


@overwritten
@given(labels=arrays(np.uint8, sizes, elements=ids))
def test_label_maps(tmp_path, labels):
    write_label_map(tmp_path / "map.png", labels)
    np.testing.assert_array_equal(read_label_map(tmp_path / "map.png"), labels)
    found = read_mask_image(tmp_path / "map.png")
    np.testing.assert_array_equal(found.mask_of(), labels != 0)
    assert list(found.object_ids) == object_ids_in(labels)
    for each in found.object_ids:
        np.testing.assert_array_equal(found.mask_of(each), labels == each)


@overwritten
@given(mask=arrays(np.bool_, sizes), object_id=st.integers(1, 1000))
def test_the_mask_of_one_object(tmp_path, mask, object_id):
    write_mask_png(tmp_path / "mask.png", Segmentation(mask[None], np.ones(1), (object_id,)))
    np.testing.assert_array_equal(read_mask_image(tmp_path / "mask.png").mask_of(object_id), mask)


@pytest.mark.parametrize("way", WAYS)
@overwritten
@given(mask=arrays(np.bool_, sizes))
def test_black_and_white_of_any_kind(tmp_path, way, mask):
    assume(way != "smallest palette" or (mask.any() and not mask.all()))  # one colour alone says nothing
    WAYS[way](mask).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask_image(tmp_path / "mask.png").mask_of(), mask)
