import json

import numpy as np
import pytest
from tests.support.annotated_folders import HEIGHT, LEFT, NOTHING, WIDTH, write_json, write_sa1b

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedImage, AnnotatedObject
from masklet.formats.reading.problems import LeftOut
from masklet.formats.reading.sa1b_folder import Sa1bFolder
from masklet.masks.run_length import encode_run_length


@pytest.mark.parametrize(("images", "annotations"), [(".", "."), ("sa_000001", "sa_000001"), ("images", "annotations")])
def test_places_of_the_files(tmp_path, images, annotations):
    write_sa1b(tmp_path, images, annotations)
    assert Sa1bFolder.recognises(tmp_path)
    folder = Sa1bFolder(tmp_path)
    place = "" if images == "." else f"{images}/"
    assert [image.name for image in folder] == [f"{place}sa_1.jpg", f"{place}sa_2.jpg"]
    assert not list(folder.problems())


def test_masks_without_area_are_left_out(tmp_path):
    write_sa1b(tmp_path)
    content = json.loads((tmp_path / "sa_1.json").read_text())
    content["annotations"].insert(0, {"area": 0, "segmentation": encode_run_length(NOTHING > 0)})
    write_json(tmp_path / "sa_1.json", content)
    image = Sa1bFolder(tmp_path)[0]
    assert (len(image.objects), image.left_out) == (2, {LeftOut.NO_PIXEL: 1})
    np.testing.assert_array_equal(image.masks[0], LEFT)


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


def test_the_same_name_in_two_folders_is_two_images(tmp_path):
    for folder in ("sa_000000", "sa_000001"):
        write_sa1b(tmp_path, folder, folder)
    folder = Sa1bFolder(tmp_path)
    assert [image.path for image in folder] == sorted(tmp_path.glob("*/*.jpg"))
    (tmp_path / "sa_000000/sa_2.json").unlink()
    (tmp_path / "sa_000001/sa_1.jpg").unlink()
    assert [image.path.parent.name for image in Sa1bFolder(tmp_path)] == ["sa_000000", "sa_000001"]
    lonely = [each.place.removeprefix(f"{tmp_path}/") for each in Sa1bFolder(tmp_path).problems()]
    assert sorted(lonely) == ["sa_000000/sa_2.jpg", "sa_000001/sa_1.json"]


def test_masks_are_decoded_when_they_are_used(tmp_path):
    decoded = []

    def decoder(number):
        return lambda: decoded.append(number) or LEFT

    image = AnnotatedImage("a", tmp_path / "a.jpg", HEIGHT, WIDTH, tuple(AnnotatedObject(decoder(n)) for n in range(3)))
    assert image.masks_of([2]).shape == (1, HEIGHT, WIDTH)
    assert decoded == [2]
    assert len(image.first_objects(2).masks) == 2
    assert decoded == [2, 0, 1]


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ({"size": [HEIGHT, WIDTH], "counts": "0"}, "The counts sum to 0 pixels; 8 x 12 has 96"),
        ({"size": [HEIGHT, WIDTH], "counts": encode_run_length(LEFT)["counts"] + "P"}, "unfinished"),
        ({"size": [HEIGHT, WIDTH], "counts": [-1, 97]}, "Count 1 of 2 is -1"),
        ({"size": [10**9, 10**9], "counts": "0"}, "The height must be"),
    ],
)
def test_a_broken_mask_is_an_error_that_names_its_annotation(tmp_path, segmentation, reason):
    write_sa1b(tmp_path)
    content = json.loads((tmp_path / "sa_1.json").read_text())
    content["annotations"][1]["segmentation"] = segmentation
    write_json(tmp_path / "sa_1.json", content)
    with pytest.raises(InvalidInputError, match=rf"sa_1\.json: annotation 1: .*{reason}"):
        _ = Sa1bFolder(tmp_path)[0]


def test_an_annotation_without_mask_costs_itself(tmp_path):
    write_sa1b(tmp_path)
    content = json.loads((tmp_path / "sa_1.json").read_text())
    content["annotations"][1]["segmentation"] = None
    write_json(tmp_path / "sa_1.json", content)
    image = Sa1bFolder(tmp_path)[0]
    np.testing.assert_array_equal(image.masks, LEFT[None])
    assert image.left_out == {LeftOut.NO_MASK: 1}


@pytest.mark.parametrize(
    "content",
    [
        {"image": None, "annotations": []},
        {"image": {"height": 8}, "annotations": []},
        {"image": {"height": 8, "width": 12}, "annotations": {}},
        {"image": {"height": [], "width": 12}, "annotations": []},
        {"image": {"height": 8, "width": 12}, "annotations": [3]},
        {"image": {"height": 10**400, "width": 12}, "annotations": []},
        [],
    ],
)
def test_values_of_the_wrong_kind_are_an_error_that_names_the_file(tmp_path, content):
    write_sa1b(tmp_path)
    write_json(tmp_path / "sa_1.json", content)
    with pytest.raises(InvalidInputError, match=r"sa_1\.json"):
        _ = Sa1bFolder(tmp_path)[0]
