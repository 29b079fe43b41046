import numpy as np
import pytest
from tests.support.annotated_folders import LEFT, OBJECTS, RIGHT, masklets, write_image, write_json, write_sav

from masklet.datasets.checking import check_dataset
from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.formats.reading.annotated import MismatchedSizeError
from masklet.formats.reading.problems import ProblemKind
from masklet.formats.reading.sav_folder import SavFolder
from masklet.masks.run_length import encode_run_length
from masklet.media.video_writer import write_video

RIGHT_ONLY = [[encode_run_length(RIGHT)]] * 3


def test_every_fourth_frame_is_annotated(tmp_path):
    write_sav(tmp_path)
    (video,) = SavFolder(tmp_path)
    assert video.name == "sav_1"
    assert (len(video), video.annotated_frames) == (9, (0, 4, 8))
    assert tuple(video.masks(0)) == (1, 2)
    assert tuple(video.masks(4)) == (2,)  # the first object is hidden
    np.testing.assert_array_equal(video.masks(8)[2], LEFT | RIGHT)  # overlaps with the first


@pytest.mark.parametrize("numbers", [(0, 4, 8), (1, 2, 3)])
def test_a_folder_may_hold_the_annotated_frames_only(tmp_path, numbers):
    write_json(tmp_path / "sav_1_manual.json", masklets())
    for number in numbers:
        write_image(tmp_path / f"sav_1/{number:05}.jpg")
    (video,) = SavFolder(tmp_path)
    assert video.annotated_frames == (0, 1, 2)
    assert tuple(video.masks(1)) == (2,)


def test_a_folder_may_lack_frames(tmp_path):
    write_sav(tmp_path)
    for number in (1, 4, 7):
        (tmp_path / f"sav_1/{number:05}.jpg").unlink()
    (video,) = SavFolder(tmp_path)
    assert [video.frame_names[frame] for frame in video.annotated_frames] == ["00000", "00008"]
    assert tuple(video.masks(video.annotated_frames[1])) == (1, 2)


def test_automatic_masklets_follow_the_manual_ones(tmp_path):
    write_sav(tmp_path)
    write_json(tmp_path / "sav_1_auto.json", masklets(masklet=RIGHT_ONLY))
    (video,) = SavFolder(tmp_path)
    assert video.object_ids == (1, 2, 3)
    np.testing.assert_array_equal(video.masks(0)[1], OBJECTS[0])
    np.testing.assert_array_equal(video.masks(0)[3], RIGHT)
    (manual,) = SavFolder(tmp_path, kinds=("manual",))
    assert manual.object_ids == (1, 2)
    (automatic,) = SavFolder(tmp_path, kinds=("auto",))
    assert automatic.object_ids == (1,)


@pytest.mark.parametrize(
    ("annotations", "frames"),
    [
        ("sav_train/sav_000", "sav_train/sav_000"),
        (".", "JPEGImages_24fps"),
        ("annotations", "JPEGImages_24fps"),
        ("annotations", "videos"),
    ],
)
def test_places_of_the_files(tmp_path, annotations, frames):
    write_sav(tmp_path)
    for folder in (annotations, frames):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "sav_1_manual.json").rename(tmp_path / annotations / "sav_1_manual.json")
    (tmp_path / "sav_1").rename(tmp_path / frames / "sav_1")
    assert SavFolder.recognises(tmp_path)
    assert len(SavFolder(tmp_path)["sav_1"]) == 9


def write_numbered_video(root, frame_count, height=32, width=48):
    with write_video(root / "sav_2.mp4", height, width, 24) as writer:
        for number in range(frame_count):
            writer.write(np.full((height, width, 3), 20 * number, dtype=np.uint8))
    mask = np.zeros((32, 48), dtype=bool)
    mask[3:9, 4:20] = True
    frames = [[encode_run_length(mask)]] * 3
    write_json(root / "sav_2_manual.json", masklets(masklet=frames, video_height=32.0, video_width=48.0))


def test_frames_of_a_video_file(tmp_path):
    write_numbered_video(tmp_path, 9)
    (video,) = SavFolder(tmp_path)
    assert (len(video), video.annotated_frames) == (9, (0, 4, 8))
    assert abs(int(video.read_pixels(8)[16, 16, 0]) - 160) < 8
    assert abs(int(video.read_pixels(3)[16, 16, 0]) - 60) < 8
    with video.open_frames() as frames:
        assert len(frames) == 9
    findings = check_dataset(tmp_path).findings
    assert (findings.videos, findings.frames, findings.annotated_frames, findings.problems) == (1, 9, 3, [])


def test_a_video_file_that_is_too_short(tmp_path):
    write_numbered_video(tmp_path, 7)
    (video,) = SavFolder(tmp_path)
    with pytest.raises(UnreadableVideoError, match=r"sav_2\.mp4 has 7 frames, its annotations count 9"):
        video.read_pixels(8)
    kinds = {each.kind for each in check_dataset(tmp_path).problems}
    assert kinds == {ProblemKind.UNREADABLE_FILE}


def test_a_video_file_of_another_size(tmp_path):
    write_numbered_video(tmp_path, 9, height=48, width=32)
    (video,) = SavFolder(tmp_path)
    with pytest.raises(MismatchedSizeError, match=r"sav_2\.mp4.*\[48, 32\].*\[32, 48\]"):
        video.read_pixels(0)
    with pytest.raises(MismatchedSizeError, match=r"sav_2\.mp4.*\[48, 32\].*\[32, 48\]"):
        video.open_frames()


def test_a_file_that_is_no_video(tmp_path):
    write_numbered_video(tmp_path, 9)
    (tmp_path / "sav_2.mp4").write_bytes(b"nothing")
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind is ProblemKind.UNREADABLE_FILE
    assert "sav_2.mp4" in problem.detail


def test_masklets_without_their_video(tmp_path):
    write_json(tmp_path / "sav_1_auto.json", masklets())
    with pytest.raises(InvalidInputError, match=r"sav_1_auto\.json has no sav_1\.mp4 nor a folder sav_1"):
        SavFolder(tmp_path)["sav_1"]


def test_no_masklets(tmp_path):
    assert not SavFolder.recognises(tmp_path)
    with pytest.raises(InvalidInputError, match=r"no \*_manual\.json or \*_auto\.json"):
        SavFolder(tmp_path)
