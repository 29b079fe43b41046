from functools import partial
from pathlib import Path

import pytest
import torch

from masklet.errors import InvalidInputError
from masklet.masks.run_length import encode_run_length
from masklet.tracking.memory_bank import FrameMemory, FrameResult, MemoryBank
from masklet.tracking.retention import Archive, Spill, archives_of

REACH, POINTER_REACH = 2, 4


def memory(frame: int) -> FrameMemory:
    value = torch.tensor(float(frame))
    return FrameMemory(
        value.expand(2, 2), value.clone(), value.clone(), value.expand(5), value.expand(3, 4).bfloat16(), False
    )


def compact(memory: FrameMemory) -> FrameResult:
    return FrameResult(encode_run_length((memory.logits > 3).numpy()), float(memory.iou), 0.0, bool(memory.reverse))


def filled(archive: Archive | None = None) -> MemoryBank:
    bank = MemoryBank(archive)
    bank.keep_prompted(0, memory(0))
    for frame in range(1, 13):
        bank.keep_tracked(frame, memory(frame))
        evicted = bank.evict(frame, REACH, POINTER_REACH)
        bank.keep_results({other: partial(compact, left) for other, left in evicted.items()})
    return bank


def test_what_is_in_reach_stays() -> None:
    bank = filled()
    assert list(bank.conditioning) == [0]
    assert sorted(bank.tracked) == [1, 2, 3, 4, 8, 9, 10, 11, 12]
    assert sorted(frame for frame, kept in bank.tracked.items() if kept.features is not None) == [1, 2, 10, 11, 12]
    assert sorted(bank.results) == [5, 6, 7]
    assert bank.results[5].mask.all()
    assert bank.results[5].iou == 5
    assert 5 not in bank
    assert bank.recall(5) is None
    assert bank.direction(5) is False
    assert bank.direction(0) is False
    assert bank.direction(99) is None


def test_what_is_out_of_reach_comes_back_from_the_archive(tmp_path: Path) -> None:
    bank = filled(Archive(tmp_path))
    assert sorted(bank.tracked) == [1, 2, 3, 4, 8, 9, 10, 11, 12]
    for frame in range(13):
        recalled = bank.recall(frame)
        assert recalled is not None
        for name, value in vars(memory(frame)).items():
            found = getattr(recalled, name)
            assert torch.equal(found, value) if isinstance(value, torch.Tensor) else found == value
    bank.limit_results(0)
    assert 5 in bank
    assert bank.direction(5) is False
    assert bank.pointer(5) is not None
    bank.remove(5)
    assert 5 not in bank
    assert not (tmp_path / "5.safetensors").exists()
    bank.clear()
    assert not any(tmp_path.iterdir())
    assert all(frame not in bank for frame in range(13))


def test_a_frame_is_remembered_once() -> None:
    bank = filled()
    bank.keep_prompted(5, memory(5))
    assert 5 in bank.conditioning
    assert 5 not in bank.results
    bank.keep_prompted(12, memory(12))
    assert 12 not in bank.tracked


def test_results_of_streams_are_limited() -> None:
    bank = filled()
    bank.limit_results(2)
    assert sorted(bank.results) == [6, 7]


def test_where_archives_are(tmp_path: Path) -> None:
    assert archives_of("window") is None
    archives = archives_of(Spill(tmp_path / "here"))
    assert archives is not None
    archive = archives.new()
    archive.write(3, memory(3).stored())
    assert len(list((tmp_path / "here").rglob("3-*.safetensors"))) == 1
    assert archives.new().folder != archive.folder
    del archives
    assert not any((tmp_path / "here").iterdir())
    with pytest.raises(InvalidInputError, match="retention is 'all'"):
        archives_of("all")  # type: ignore[arg-type]
