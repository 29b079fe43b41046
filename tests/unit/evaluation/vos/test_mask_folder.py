import numpy as np
import pytest

from masklet.errors import InvalidInputError
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


def test_label_maps_end_at_255(tmp_path):
    with pytest.raises(InvalidInputError, match="255"):
        list(MaskFolder(tmp_path, NAMES, (256,)).written([{}], may_overlap=False))
