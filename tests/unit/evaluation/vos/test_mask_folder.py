import os

import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.evaluation.vos.mask_folder import MaskFolder
from masklet.media.mask_images import read_label_map

LEFT, ALL = np.zeros((4, 6), dtype=bool), np.ones((4, 6), dtype=bool)
LEFT[:, :3] = True
NAMES = ("00000", "00001", "00002")


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_disjoint_masks_share_label_maps(tmp_path):
    masks = [{}, {1: LEFT, 7: ~LEFT}, {7: ALL}]
    folder = MaskFolder(tmp_path, NAMES, (1, 7))
    assert list(folder.written(masks, may_overlap=False)) == masks
    assert files_in(tmp_path) == ["00000.png", "00001.png", "00002.png"]
    np.testing.assert_array_equal(read_label_map(tmp_path / "00001.png"), np.where(LEFT, 1, 7))
    assert not read_label_map(tmp_path / "00000.png").any()
    assert folder.is_complete()
    assert [sorted(each for each, mask in folder.read(frame, (1, 7)).items() if mask.any()) for frame in range(3)] == [
        [],
        [1, 7],
        [7],
    ]


def test_masks_that_overlap_have_folders_as_those_of_sa_v(tmp_path):
    masks = [{1: ALL}, {1: ALL, 2: LEFT}, {2: LEFT}]
    folder = MaskFolder(tmp_path, NAMES, (1, 2))
    list(folder.written(masks, may_overlap=True))
    assert files_in(tmp_path) == [f"{folder}/{name}.png" for folder in ("000", "001") for name in NAMES]
    read = folder.read(1, (1, 2))
    np.testing.assert_array_equal(read[1], ALL)
    np.testing.assert_array_equal(read[2], LEFT)
    (tmp_path / "001/00002.png").unlink()
    assert not folder.is_complete()


def test_an_interruption_leaves_nothing(tmp_path):
    def failing():
        yield {1: ALL}
        raise KeyboardInterrupt

    folder = MaskFolder(tmp_path / "swan", NAMES, (1,))
    with pytest.raises(KeyboardInterrupt):
        list(folder.written(failing(), may_overlap=False))
    assert not folder.is_complete()
    assert not files_in(tmp_path)


def test_masks_whose_writer_was_killed_are_put_in_place_before_they_are_read(tmp_path, monkeypatch):
    folder, move = MaskFolder(tmp_path, NAMES, (1,)), os.replace
    list(folder.written([{1: LEFT}] * 3, may_overlap=False))

    def killed(source, target):
        if target.parent == tmp_path and target.name == "00001.png":
            raise KeyboardInterrupt
        move(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            list(folder.written([{1: ALL}] * 3, may_overlap=False))
    assert not folder.is_complete()
    folder.finish()
    assert all(folder.read(frame, [1])[1].all() for frame in range(3))


def test_label_maps_end_at_255(tmp_path):
    with pytest.raises(InvalidInputError, match="255"):
        list(MaskFolder(tmp_path, NAMES, (256,)).written([{}], may_overlap=False))


def write(path, values, mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, dtype=np.uint8)).convert(mode).save(path)


@pytest.mark.parametrize(("white", "mode"), [(255, "L"), (255, "RGB"), (255, "1"), (255, "P"), (1, "L")])
def test_black_and_white_is_the_one_object_of_a_video(tmp_path, white, mode):
    write(tmp_path / "00001.png", LEFT * white, mode)
    read = MaskFolder(tmp_path, NAMES, (3,)).read(1, (3,))
    assert list(read) == [3]
    np.testing.assert_array_equal(read[3], LEFT)


def test_a_soft_mask_is_the_one_object_from_128_on(tmp_path):
    soft = np.linspace(0, 255, 24 * 60).round().reshape(24, 60)
    write(tmp_path / "00001.png", soft)
    np.testing.assert_array_equal(MaskFolder(tmp_path, NAMES, (1,)).read(1, (1,))[1], soft.round() >= 128)


@pytest.mark.parametrize(
    ("values", "shown"),
    [(LEFT * 128, [128]), (LEFT * 2 + ~LEFT * 1, [1, 2]), (LEFT * 1 + ~LEFT * 255, [1])],
    ids=["0 and 128", "two objects", "void"],
)
def test_ids_of_a_video_of_one_object_are_kept(tmp_path, values, shown):
    write(tmp_path / "00001.png", values)
    read = MaskFolder(tmp_path, NAMES, (1,)).read(1, (1,))
    assert sorted(each for each, mask in read.items() if mask.any()) == shown


def test_black_and_white_is_no_object_of_several(tmp_path):
    write(tmp_path / "00001.png", LEFT * 255)
    read = MaskFolder(tmp_path, NAMES, (1, 2)).read(1, (1, 2))
    assert [each for each, mask in read.items() if mask.any()] == [255]


def test_a_soft_mask_is_no_label_map_of_several_objects(tmp_path):
    write(tmp_path / "00001.png", np.tile([0, 20, 90, 160, 240, 255, 255, 255], (8, 1)))
    with pytest.raises(UnreadableImageError, match=r"00001\.png is a soft mask"):
        MaskFolder(tmp_path, NAMES, (1, 2)).read(1, (1, 2))


def test_soft_masks_in_folders_of_objects(tmp_path):
    write(tmp_path / "000/00001.png", LEFT * 255)
    write(tmp_path / "001/00001.png", np.tile([0, 20, 90, 160, 240, 255], (4, 1)))
    read = MaskFolder(tmp_path, NAMES, (1, 2)).read(1, (1, 2))
    np.testing.assert_array_equal(read[1], LEFT)
    np.testing.assert_array_equal(read[2], ~LEFT)
