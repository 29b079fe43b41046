import json

import numpy as np
import pytest
from PIL import Image

from masklet.evaluation.everything.video_measurement import EverythingVideoMeasurement
from masklet.evaluation.measurement import measure_all
from masklet.evaluation.reporting.report import report_table
from masklet.evaluation.reporting.report_folder import write_report_folder
from masklet.evaluation.vos.baselines import RepeatedFirstMask
from masklet.evaluation.vos.measured_videos import MeasuredVideos
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import VOID, write_label_map

HEIGHT, WIDTH, FRAMES = 32, 48, 6


def box(left, top, side=10):
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def still(frame):
    return box(2, 18)


def moving(frame):
    return box(4 * frame, 2)


class Known:
    """Yields masks that are functions of the frame, by track; None: the track is not reported there."""

    name, fingerprint = "known", "7"

    def __init__(self, tracks):
        self.tracks = tracks

    def follow(self, frames):
        for frame in range(len(frames)):
            shown = {each: mask for each, of in self.tracks.items() if (mask := of(frame)) is not None}
            stacked = np.array(list(shown.values()), dtype=bool).reshape(-1, HEIGHT, WIDTH)
            yield Segmentation(stacked, np.full(len(shown), 0.8), shown)


@pytest.fixture
def root(tmp_path):
    for name in ("first", "second"):
        for frame in range(FRAMES):
            labels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
            labels[moving(frame)], labels[still(frame)] = 1, 2
            if frame == 3:
                labels[28:, 40:] = VOID
            (tmp_path / f"JPEGImages/{name}").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / f"JPEGImages/{name}/{frame:05}.jpg")
            write_label_map(tmp_path / f"Annotations/{name}/{frame:05}.png", labels)
    return tmp_path


def measured(root, tracks, **more):
    measurement = EverythingVideoMeasurement(MeasuredVideos(str(root), ("first",)), Known(tracks), **more)
    return measurement, measurement.measure("first")


def test_perfect_tracks_under_any_ids(root):
    _, item = measured(root, {31: still, 8: moving, 5: lambda frame: box(36, 20)})
    assert item.values["J&F-Mean"] == item.values["J&F of the best track"] == (1.0, 1.0)
    kept = {"kept": 1, "switches": 0, "fragments": 0, "delay": 0}
    assert item.amounts == {"tracks": 3, "covered": 300 / (HEIGHT * WIDTH)} | kept
    assert item.object_ids == (1, 2)


def test_a_track_that_goes_over_to_another_object_is_of_one_of_them(root):
    """Track 1 follows object 1 for half of the video, then object 2."""
    _, item = measured(root, {1: lambda frame: moving(frame) if frame < 3 else still(frame)})
    assert item.values["J-Mean"] == (0.5, 0.0)
    assert item.values["J&F of the best track"] == (0.5, 0.5)
    assert item.amounts["kept"] == 0.5
    assert item.amounts["delay"] == 1.5  # 0 frames of the one, 3 of the other


def test_an_object_under_two_ids_is_kept_for_half_of_its_frames(root):
    first = {1: lambda frame: moving(frame) if frame < 3 else None, 2: still}
    _, item = measured(root, first | {9: lambda frame: moving(frame) if frame > 2 else None})
    assert item.amounts["kept"] == 0.75
    assert item.amounts["switches"] == pytest.approx(100 / 12)  # one, of 2 x 6 frames of objects
    assert item.amounts["fragments"] == 0


def test_first_and_last_frame_count_in_davis_protocol_and_not_beside_the_prompted_model(root):
    _, item = measured(
        root,
        {1: moving, 2: lambda frame: still(frame) if 0 < frame < FRAMES - 1 else None},
        prompted=RepeatedFirstMask(),
    )
    assert item.values["J&F-Mean"] == (1.0, pytest.approx(4 / 6))
    assert item.values["J&F of the best track"] == (1.0, 1.0)
    prompted = item.values["J&F prompted"]
    assert prompted[1] == 1.0
    assert prompted[0] < 0.6


def test_what_is_void_counts_for_nothing(root):
    def with_void(frame):
        void = np.zeros((HEIGHT, WIDTH), dtype=bool)
        void[28:, 40:] = frame == 3
        return still(frame) | void

    _, item = measured(root, {1: moving, 2: with_void})
    assert item.values["J&F-Mean"] == (1.0, 1.0)


def test_nothing_found(root):
    _, item = measured(root, {})
    assert item.values["J&F-Mean"] == (0.0, 0.0)
    assert item.amounts == {"tracks": 0, "covered": 0, "kept": 0, "switches": 0, "fragments": 0}
    assert all(not np.frombuffer(each.predicted["counts"].encode(), "u1").size > 3 for each in item.worst)


def test_the_report_has_the_tools_names_and_what_is_beside(root, tmp_path):
    measurement = EverythingVideoMeasurement(
        MeasuredVideos(str(root)), Known({1: moving, 2: still}), RepeatedFirstMask()
    )
    folder = tmp_path / "report"
    items = measure_all(measurement, folder=folder / "known")
    report = measurement.report(items)
    write_report_folder(folder, [(measurement, report)])
    (content,) = json.loads((folder / "scores.json").read_text())
    assert content["scores"]["J&F-Mean"] == 1.0
    assert content["scores"]["J&F prompted"] == report.means["J&F prompted"] < 1
    assert content["amounts"]["tracks"] == 2
    first = content["sequences"][0]
    assert first["scores"] == {name: report.means[name] for name in report.shown().values()}
    assert first["amounts"]["kept"] == 1
    table = report_table([report])
    assert content["scores"].keys() >= {"J-Mean", "F-Mean"}
    amounts = ("tracks", "kept", "switches", "fragments", "delay")
    assert table.headings == ("objects", "J&F", "best", "prompted", *amounts)
    assert [row.name for row in table.rows][1:4] == ["first", "second", "mean"]
    assert table.rows[1].cells[:2] == ("2", "100.0")
    assert [each.score for each in items[0].worst] == [1.0, 1.0]
    with Image.open(folder / "known/worst.png") as sheet:
        sheet.load()
