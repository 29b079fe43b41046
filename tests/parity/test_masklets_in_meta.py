"""SA-V as masklet writes it, read by the loader of Meta's training code."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.parity.conftest import INSTALL
from tests.support.annotated_folders import LEFT, RIGHT, write_sav
from tests.support.source_data import write_video

from masklet.jobs.conversion import convert_dataset

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
NOTHING = LEFT & RIGHT
COMES_AND_GOES = np.stack([[LEFT, NOTHING, LEFT], [NOTHING, RIGHT, RIGHT]])


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> type:
    """Its class; pandas, which the file imports for other layouts, is not needed for this one."""
    monkeypatch.setitem(sys.modules, "pandas", ModuleType("pandas"))
    module = pytest.importorskip("training.dataset.vos_segment_loader", reason=INSTALL)
    found: type = module.JSONSegmentLoader
    return found


def test_every_frame_of_a_video(tmp_path: Path, loader: type) -> None:
    convert_dataset(write_video(tmp_path / "in", COMES_AND_GOES), tmp_path / "out", "sa-v")
    read = loader(tmp_path / "out/walk_manual.json", ann_every=1)
    for frame in range(3):
        found = read.load(frame)
        assert sorted(found) == [0, 1]
        for number, mask in found.items():
            np.testing.assert_array_equal(mask.numpy() > 0, COMES_AND_GOES[number, frame])


def test_every_fourth_frame(tmp_path: Path, loader: type) -> None:
    write_sav(tmp_path / "in")
    convert_dataset(tmp_path / "in", tmp_path / "out", "sa-v")
    read, given = (loader(folder / "sav_1_manual.json", ann_every=4) for folder in (tmp_path / "out", tmp_path / "in"))
    for frame in (0, 4, 8):
        found, expected = read.load(frame), given.load(frame)
        for number in (0, 1):
            np.testing.assert_array_equal(found[number].numpy(), expected[number].numpy())
