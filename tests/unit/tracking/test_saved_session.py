import json
from pathlib import Path

import pytest
import torch
from tests.small_videos import small_video_model
from tests.unit.tracking.small_sessions import (
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
from torch import Tensor

from masklet import Sam2VideoInferenceSession
from masklet.errors import CheckpointError, InvalidInputError

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
    assert len(list(tmp_path.iterdir())) == 2


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


def test_folders_without_a_session(tmp_path: Path) -> None:
    load = Sam2VideoInferenceSession.load
    with pytest.raises(CheckpointError, match="no readable session"):
        load(tmp_path, video(), model())
    session = new_session()
    session.add_points(1, 0, *CLICK)
    session.save(tmp_path, model())
    (tensors,) = tmp_path.glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:40])
    with pytest.raises(CheckpointError, match="no readable session"):
        load(tmp_path, video(), model())
    description = json.loads((tmp_path / "session.json").read_text())
    (tmp_path / "session.json").write_text(json.dumps({**description, "format": 99}))
    with pytest.raises(CheckpointError, match="has format 99; this version reads format 1"):
        load(tmp_path, video(), model())


@pytest.mark.parametrize("missing", ["model", "objects", "video_height"])
def test_descriptions_that_say_too_little(tmp_path: Path, missing: str) -> None:
    new_session().save(tmp_path, model())
    description = json.loads((tmp_path / "session.json").read_text())
    del description[missing]
    (tmp_path / "session.json").write_text(json.dumps(description))
    with pytest.raises(CheckpointError, match=f"does not say {missing}"):
        Sam2VideoInferenceSession.load(tmp_path, video(), model())


def test_a_memory_that_was_deleted(tmp_path: Path) -> None:
    session = new_session(retention="spill")
    session.add_points(1, 0, *CLICK)
    tracked(session)
    session.save(tmp_path, model())
    next(tmp_path.glob("memories-*-0-*.safetensors")).unlink()
    with pytest.raises(CheckpointError, match="no readable session"):
        Sam2VideoInferenceSession.load(tmp_path, video(), model())
