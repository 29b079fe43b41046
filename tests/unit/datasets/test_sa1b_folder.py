import json

import numpy as np
import pytest
from tests.unit.datasets.annotated_folders import HEIGHT, LEFT, NOTHING, WIDTH, write_json, write_sa1b

from masklet.datasets.annotated import AnnotatedImage
from masklet.datasets.sa1b_folder import Sa1bFolder
from masklet.errors import InvalidInputError
from masklet.masks.run_length import encode_run_length


@pytest.mark.parametrize(
    ("pictures", "annotations"), [(".", "."), ("sa_000001", "sa_000001"), ("images", "annotations")]
)
def test_places_of_the_files(tmp_path, pictures, annotations):
    write_sa1b(tmp_path, pictures, annotations)
    assert Sa1bFolder.recognises(tmp_path)
    folder = Sa1bFolder(tmp_path)
    place = "" if pictures == "." else f"{pictures}/"
    assert [picture.name for picture in folder] == [f"{place}sa_1.jpg", f"{place}sa_2.jpg"]
    assert not list(folder.problems())


def test_masks_without_area_are_left_out(tmp_path):
    write_sa1b(tmp_path)
    content = json.loads((tmp_path / "sa_1.json").read_text())
    content["annotations"].insert(0, {"area": 0, "segmentation": encode_run_length(NOTHING > 0)})
    write_json(tmp_path / "sa_1.json", content)
    picture = Sa1bFolder(tmp_path)[0]
    assert (len(picture.objects), picture.left_out) == (2, 1)
    np.testing.assert_array_equal(picture.masks[0], LEFT)


def test_other_json_is_not_recognised(tmp_path):
    write_json(tmp_path / "package.json", {"annotations": []})
    assert not Sa1bFolder.recognises(tmp_path)


@pytest.mark.parametrize("content", ["{}", "no JSON"])
def test_json_of_other_tools_does_not_hide_the_layout(tmp_path, content):
    for number in range(12):
        (tmp_path / f"dataset_{number}.json").write_text(content)
    assert not Sa1bFolder.recognises(tmp_path)
    write_sa1b(tmp_path)
    assert Sa1bFolder.recognises(tmp_path)
    assert len(Sa1bFolder(tmp_path)) == 2


def test_the_same_name_in_two_folders_is_two_pictures(tmp_path):
    for folder in ("sa_000000", "sa_000001"):
        write_sa1b(tmp_path, folder, folder)
    folder = Sa1bFolder(tmp_path)
    assert [picture.path for picture in folder] == sorted(tmp_path.glob("*/*.jpg"))
    (tmp_path / "sa_000000/sa_2.json").unlink()
    (tmp_path / "sa_000001/sa_1.jpg").unlink()
    assert [picture.path.parent.name for picture in Sa1bFolder(tmp_path)] == ["sa_000000", "sa_000001"]
    lonely = [each.place.removeprefix(f"{tmp_path}/") for each in Sa1bFolder(tmp_path).problems()]
    assert sorted(lonely) == ["sa_000000/sa_2.jpg", "sa_000001/sa_1.json"]


def test_masks_are_decoded_when_they_are_used(tmp_path):
    decoded = []

    def decoder(number):
        return lambda: decoded.append(number) or LEFT

    picture = AnnotatedImage("a", tmp_path / "a.jpg", HEIGHT, WIDTH, tuple(decoder(number) for number in range(3)))
    assert picture.masks_of([2]).shape == (1, HEIGHT, WIDTH)
    assert decoded == [2]
    assert len(picture.first_objects(2).masks) == 2
    assert decoded == [2, 0, 1]


def test_a_mask_that_cannot_be_decoded_is_named(tmp_path):
    write_sa1b(tmp_path)
    content = json.loads((tmp_path / "sa_1.json").read_text())
    content["annotations"][1]["segmentation"] = [[1, 2]]
    write_json(tmp_path / "sa_1.json", content)
    picture = Sa1bFolder(tmp_path)[0]
    assert len(picture.masks_of([0])) == 1
    with pytest.raises(InvalidInputError, match=r"sa_1\.jpg: the mask of object 1 is broken: A polygon"):
        _ = picture.masks
