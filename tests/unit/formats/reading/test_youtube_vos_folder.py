import numpy as np
import pytest
from tests.support.annotated_folders import (
    LABELS,
    LEFT,
    NOTHING,
    write_json,
    write_mose,
    write_sequences,
    write_youtube_vos,
)

from masklet.errors import InvalidInputError
from masklet.evaluation.vos.baselines import RepeatedFirstMask
from masklet.evaluation.vos.measurement import evaluate_vos
from masklet.formats.reading.davis_folder import DavisFolder
from masklet.formats.reading.mose_folder import MoseFolder
from masklet.formats.reading.opening import layout_of, open_dataset
from masklet.formats.reading.problems import ProblemKind
from masklet.formats.reading.youtube_vos_folder import YoutubeVosFolder
from masklet.media.label_maps import UnknownLabelError, write_label_map


def test_some_frames_are_annotated(tmp_path):
    write_youtube_vos(tmp_path)
    video = YoutubeVosFolder(tmp_path)["swan"]
    assert (len(video), video.annotated_frames, video.object_ids) == (6, (0, 5), (1, 2))
    assert video.frame_names[5] == "00005"
    np.testing.assert_array_equal(video.labels(5), LABELS)


def test_the_list_of_objects_is_optional(tmp_path):
    write_youtube_vos(tmp_path)
    (tmp_path / "meta.json").unlink()
    write_label_map(tmp_path / "Annotations/swan/00005.png", LEFT * np.uint8(7))
    video = YoutubeVosFolder(tmp_path)["swan"]
    assert video.object_ids == (1, 2, 7)  # the last one begins later
    assert list(video.masks(5)) == [7]


def test_objects_that_the_list_does_not_name(tmp_path):
    write_youtube_vos(tmp_path)
    write_json(tmp_path / "meta.json", {"videos": {"swan": {"objects": {"2": {}}}}})
    with pytest.raises(UnknownLabelError, match=r"swan/00005\.png shows the objects \[1\]; declared are \(2,\)"):
        YoutubeVosFolder(tmp_path)["swan"].masks(5)


@pytest.mark.parametrize(
    "meta",
    [
        [],
        {},
        {"videos": []},
        {"videos": {"swan": None}},
        {"videos": {"swan": {}}},
        *(
            {"videos": {"swan": {"objects": each}}}
            for each in (None, "12", {"x": {}}, {"-1": {}}, [1.5], [float("inf")], [10**400])
        ),
    ],
)
def test_broken_lists(tmp_path, meta):
    write_youtube_vos(tmp_path)
    write_json(tmp_path / "meta.json", meta)
    with pytest.raises(InvalidInputError, match=r"meta\.json is not of the form videos"):
        YoutubeVosFolder(tmp_path)


def test_mose_is_known_by_the_names_of_its_videos(tmp_path):
    """Its archives hold nothing but the two folders."""
    write_sequences(tmp_path, names=("00b72f4d", "fecd10d2"))
    assert layout_of(tmp_path) is MoseFolder
    (tmp_path / "JPEGImages/fecd10d2/00003.jpg").unlink()
    assert [each.kind for each in MoseFolder(tmp_path).problems()] == [ProblemKind.MASK_WITHOUT_IMAGE]
    for kind in ("JPEGImages", "Annotations"):
        (tmp_path / kind / "fecd10d2").rename(tmp_path / kind / "003234408d")
    assert layout_of(tmp_path) is DavisFolder


def test_in_the_validation_set_of_mose_only_the_first_frames_are_annotated(tmp_path):
    write_sequences(tmp_path, names=("00b72f4d",), annotated_every=9)
    folder = open_dataset(tmp_path)
    assert isinstance(folder, MoseFolder)
    assert not list(folder.problems())
    assert folder["00b72f4d"].annotated_frames == (0,)
    with pytest.raises(InvalidInputError, match="'00b72f4d' has 1 annotated frames, at least 3"):
        evaluate_vos(tmp_path, RepeatedFirstMask())


def test_objects_of_mose_may_come_at_any_time(tmp_path):
    write_mose(tmp_path)
    write_label_map(tmp_path / "Annotations/swan/00000.png", NOTHING)
    write_label_map(tmp_path / "Annotations/swan/00001.png", np.where(LEFT, np.uint8(255), LABELS))
    write_label_map(tmp_path / "Annotations/swan/00004.png", LEFT * np.uint8(9))
    video = MoseFolder(tmp_path)["swan"]
    assert video.object_ids == (1, 2, 9)
    assert list(video.masks(0)) == []
    assert list(video.masks(1)) == [2]  # 255 is void, though the first map that shows anything comes late
    assert list(video.masks(4)) == [9]
