import json
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from tests.support.saved_sessions import index_of, rewrite_as_format_1, write_index
from tests.support.small_sessions import (
    FRAMES,
    HEIGHT,
    REACH,
    SIZE,
    WIDTH,
    model,
    new_session,
    same,
    tracked,
    video,
)
from tests.support.small_video_models import small_video_model
from torch import Tensor

from masklet import Sam2VideoInferenceSession
from masklet.errors import CheckpointError, DamagedSessionError, InvalidInputError
from masklet.tracking import saved_tensors
from masklet.tracking.memory_bank import FrameMemory
from masklet.tracking.saved_session import SessionWriter, commit_session, session_folder

CLICK, OTHER_CLICK, NOT_HERE = ([[20, 30]], [1]), ([[44, 50]], [1]), ([[40, 12]], [0])


def resumed(session: Sam2VideoInferenceSession, folder: Path, frames: Tensor | None) -> Sam2VideoInferenceSession:
    session.save(folder, model())
    return Sam2VideoInferenceSession.load(folder, frames, model())


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_it_goes_on_as_without_the_break(tmp_path: Path, retention: str) -> None:
    session = new_session(retention=retention)
    session.add_points(5, 0, *CLICK)
    session.add_mask(2, 1, torch.eye(SIZE))
    session.add_points(2, 1, *NOT_HERE, clear_old=False)
    tracked(session, 0, max_frame_num_to_track=9)
    session.add_points(5, 4, *NOT_HERE)  # old, tracked, and not answered yet
    session.add_points(5, 0, *OTHER_CLICK, clear_old=False)  # refines what was answered
    other = resumed(session, tmp_path, video())
    assert other.obj_ids == [5, 2]
    assert other.obj_with_new_inputs == [5]
    assert other.output(2, 4) == session.output(2, 4)
    assert same(tracked(other, 4), tracked(session, 4))
    assert same(tracked(other, 8, reverse=True), tracked(session, 8, reverse=True))


def test_every_object_id_that_is_taken_is_read_again(tmp_path: Path) -> None:
    session = new_session()
    for beyond in (2**63, -(2**63)):
        with pytest.raises(InvalidInputError, match="object id must be a whole number from"):
            session.add_points(beyond, 0, *CLICK)
    for object_id in (2**63 - 1, 1 - 2**63):
        session.add_points(object_id, 0, *CLICK)
    tracked(session, 0, max_frame_num_to_track=2)
    assert resumed(session, tmp_path, video()).obj_ids == [2**63 - 1, 1 - 2**63]


def test_streams_go_on(tmp_path: Path) -> None:
    session = Sam2VideoInferenceSession(video_height=HEIGHT, video_width=WIDTH, dtype=torch.bfloat16)
    session.add_points(1, 0, *CLICK)
    for frame in range(6):
        model()(session, frame=video()[frame])
    other = resumed(session, tmp_path, None)
    assert (other.is_stream, other.num_frames, other.dtype) == (True, 6, torch.bfloat16)
    for frame in range(6, FRAMES):
        seen = [model()(each, frame=video()[frame]).pred_masks for each in (session, other)]
        assert torch.equal(*seen)


def test_prompts_of_a_stream_are_answered_while_its_frames_are_there(tmp_path: Path) -> None:
    session = Sam2VideoInferenceSession(video_height=HEIGHT, video_width=WIDTH)
    session.add_points(1, 0, *CLICK)
    for frame in range(6):
        model()(session, frame=video()[frame])
    session.add_points(2, 4, *OTHER_CLICK)
    session.add_points(1, 5, *OTHER_CLICK)
    session.add_points(3, 6, *CLICK)  # on the frame to come
    other = resumed(session, tmp_path, None)
    assert other.obj_with_new_inputs == [3]
    seen = [model()(each, frame=video()[6]).pred_masks for each in (session, other)]
    assert torch.equal(*seen)


def test_saving_again_leaves_one_session(tmp_path: Path) -> None:
    session = new_session(retention="spill")
    session.add_points(1, 0, *CLICK)
    tracked(session)
    session.save(tmp_path, model())
    session.reset()
    session.add_points(3, 0, *CLICK)
    assert resumed(session, tmp_path, video()).obj_ids == [3]
    names = [path.name.partition("-")[0] for path in tmp_path.iterdir()]
    assert sorted(names) == [".lock", "history", "memories", "session.json"]


def test_another_model_or_video(tmp_path: Path) -> None:
    session = new_session()
    session.add_points(1, 0, *CLICK)
    session.save(tmp_path, model())
    load = Sam2VideoInferenceSession.load
    for stranger in (
        small_video_model(seed=1, image_size=SIZE, **REACH),
        small_video_model(image_size=SIZE, **REACH | {"num_maskmem": 4}),
        small_video_model(image_size=SIZE, **REACH).half(),
    ):
        with pytest.raises(InvalidInputError, match="made with another model"):
            load(tmp_path, video(), stranger)
    with pytest.raises(InvalidInputError, match=f"num_frames is {FRAMES}, not 3"):
        load(tmp_path, video()[:3], model())
    with pytest.raises(InvalidInputError, match="is of a video; give its video"):
        load(tmp_path, None, model())
    with pytest.raises(InvalidInputError, match="of another video: its first frame looks different"):
        load(tmp_path, video().flip(0), model())


def test_a_video_is_known_again_though_its_pixels_are_rounded_otherwise(tmp_path: Path) -> None:
    session = new_session()
    session.add_points(1, 0, *CLICK)
    session.save(tmp_path, model())
    noise = 0.02 * torch.randn(video().shape, generator=torch.Generator().manual_seed(0))
    for alike in (video().to(torch.bfloat16).float(), video() + noise):
        assert Sam2VideoInferenceSession.load(tmp_path, alike, model()).obj_ids == [1]


def test_sessions_of_earlier_versions_do_not_know_the_first_frame(tmp_path: Path) -> None:
    session = new_session()
    session.add_points(1, 0, *CLICK)
    session.save(tmp_path, model())
    content = index_of(tmp_path)
    del content["session"]["first_look"]
    write_index(tmp_path, content)
    assert Sam2VideoInferenceSession.load(tmp_path, video().flip(0), model()).obj_ids == [1]


def test_a_video_whose_first_frame_cannot_be_read_is_not_held_to_it(tmp_path: Path) -> None:
    class Damaged:
        height, width = HEIGHT, WIDTH

        def __len__(self) -> int:
            return FRAMES

        def __getitem__(self, frame: int) -> Tensor:
            if frame == 0:
                raise OSError("a damaged file")
            return video()[frame]

    session = new_session()
    session.add_points(1, 3, *CLICK)
    session.save(tmp_path, model())
    other = Sam2VideoInferenceSession.load(tmp_path, Damaged(), model())
    other.save(tmp_path, model())
    assert index_of(tmp_path)["session"]["first_look"] is None


def test_folders_without_a_session(tmp_path: Path) -> None:
    load = Sam2VideoInferenceSession.load
    with pytest.raises(DamagedSessionError, match=r"no readable session: .*session.json does not exist"):
        load(tmp_path, video(), model())
    (tmp_path / "session.json").mkdir()
    with pytest.raises(DamagedSessionError, match="is no file"):
        load(tmp_path, video(), model())
    (tmp_path / "session.json").rmdir()
    (tmp_path / "session.json").write_text('{"format": 99}')
    with pytest.raises(DamagedSessionError, match="has format 99; this version reads formats 1 and 2"):
        load(tmp_path, video(), model())


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("model", "A session must have model; got"),
        ("objects", "A session must have objects; got"),
        ("video_height", "A session must have video_height; got"),
        ("tensors", "A part of a data file is"),
    ],
)
def test_descriptions_that_lack_something(tmp_path: Path, missing: str, complaint: str) -> None:
    new_session().save(tmp_path, model())
    content = index_of(tmp_path)
    del content["session"][missing]
    write_index(tmp_path, content)
    with pytest.raises(DamagedSessionError, match=complaint):
        Sam2VideoInferenceSession.load(tmp_path, video(), model())


def test_damage_is_both_a_file_that_cannot_be_used_and_an_input(tmp_path: Path) -> None:
    for kind in (CheckpointError, InvalidInputError):
        with pytest.raises(kind, match="no readable session"):
            Sam2VideoInferenceSession.load(tmp_path, video(), model())


def test_two_do_not_save_into_one_folder(tmp_path: Path) -> None:
    session = new_session()
    with session_folder(tmp_path), pytest.raises(InvalidInputError, match="Another tracking that keeps its session"):
        session.save(tmp_path, model())
    assert not (tmp_path / "session.json").exists()


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_a_session_saved_as_it_goes_can_be_taken_up_after_every_save(tmp_path: Path, retention: str) -> None:
    """Frames are tracked, tracked again, corrected and forgotten; objects come, go and come back."""
    session = new_session(retention=retention, max_results=6)
    session.add_points(5, 0, *CLICK)
    steps = (
        lambda: tracked(session, 0, max_frame_num_to_track=9),
        lambda: session.add_points(2, 3, *OTHER_CLICK),
        lambda: tracked(session, 3),
        lambda: session.add_points(5, 7, *NOT_HERE),
        lambda: tracked(session, 7, reverse=True),
        lambda: session.remove_object(5),
        lambda: session.add_points(5, 8, *CLICK),
        lambda: tracked(session, 8),
        lambda: session.clear_prompts(2, 3),
        lambda: session.remove_object(2),
    )
    with session_folder(tmp_path) as folder:
        writer = SessionWriter(folder, session, model().fingerprint)
        for step in steps:
            step()
            commit_session(folder, writer.write())
            assert_equal_sessions(Sam2VideoInferenceSession.load(tmp_path, video(), model()), session)
    names = [path.name.partition("-")[0] for path in tmp_path.iterdir()]
    archived = len(session.objects()[0].bank.archive.frames()) if retention == "spill" else 0
    assert sorted(names) == sorted([".lock", "history", "memories", "session.json", *["memory"] * archived])


def assert_equal_sessions(one: Sam2VideoInferenceSession, other: Sam2VideoInferenceSession) -> None:
    assert one.obj_ids == other.obj_ids
    for mine, theirs in zip(one.objects(), other.objects(), strict=True):
        assert list(mine.prompts) == list(theirs.prompts)
        assert mine.pending_frames() == theirs.pending_frames()
        assert list(mine.bank.results.items()) == list(theirs.bank.results.items())  # in the order of their age
        for kind in ("conditioning", "tracked"):
            mine_kept, theirs_kept = getattr(mine.bank, kind), getattr(theirs.bank, kind)
            assert list(mine_kept) == list(theirs_kept)
            assert all(equal_memories(mine_kept[frame], theirs_kept[frame]) for frame in mine_kept)
        if mine.bank.archive is not None:
            assert mine.bank.archive.frames().keys() == theirs.bank.archive.frames().keys()
            for frame in mine.bank.archive.frames():
                assert equal_memories(mine.bank.recall(frame), theirs.bank.recall(frame))


def equal_memories(one: FrameMemory, other: FrameMemory) -> bool:
    return all(
        torch.equal(value, vars(other)[name]) if isinstance(value, Tensor) else value == vars(other)[name]
        for name, value in vars(one).items()
    )


def test_a_save_writes_only_what_is_new(tmp_path: Path) -> None:
    session = new_session()
    session.add_points(1, 0, *CLICK)
    with session_folder(tmp_path) as folder:
        writer = SessionWriter(folder, session, model().fingerprint)
        tracked(session, max_frame_num_to_track=8)
        known = list(session.objects()[0].bank.results)
        for _ in range(3):
            commit_session(folder, writer.write())
        tracked(session, 9)
        commit_session(folder, writer.write())
    lines = [json.loads(line) for path in tmp_path.glob("history-*") for line in path.read_text().splitlines()]
    now = list(session.objects()[0].bank.results)
    assert [[frame for frame, _ in new] for _, _, _, new in lines] == [known, now[len(known) :]]


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_sessions_of_format_1_are_read(tmp_path: Path, retention: str) -> None:
    session = new_session(retention=retention)
    session.add_points(5, 0, *CLICK)
    session.add_mask(2, 1, torch.eye(SIZE))
    tracked(session)
    session.add_points(5, 4, *NOT_HERE)
    session.save(tmp_path, model())
    rewrite_as_format_1(tmp_path, session)
    other = Sam2VideoInferenceSession.load(tmp_path, video(), model())
    assert_equal_sessions(other, session)
    assert same(tracked(other, 4), tracked(session, 4))


def test_a_full_disk_is_an_error_of_the_system_and_leaves_the_session_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_session()
    session.add_points(1, 0, *CLICK)
    session.save(tmp_path, model())
    before = sorted(tmp_path.iterdir())

    def full(tensors: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(saved_tensors, "save_file", full)
    with pytest.raises(OSError, match="cannot be written: I/O error: No space left"):
        session.save(tmp_path, model())
    assert sorted(tmp_path.iterdir()) == before
    assert Sam2VideoInferenceSession.load(tmp_path, video(), model()).obj_ids == [1]
