"""Folders that hold something else than a session, in every way that chance finds: one clear error, or the session."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save_file
from tests.support.saved_sessions import index_of, rewrite_as_format_1, write_index
from tests.support.small_sessions import model, new_session, tracked, video
from torch import Tensor

from masklet import Sam2VideoInferenceSession
from masklet.errors import DamagedSessionError, InvalidInputError

TRIES = 150
DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]
VALUES = (None, True, 0, -1, 3, 10**400, 1e308, float("nan"), "", "7", "../../x", [], [[]], [0, 1], {}, {"0": 1}, DEEP)


@pytest.fixture(scope="module", params=["format 1", "format 2"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with all that there can be: two kinds of prompts, answered and not, compact masks, memories on disk."""
    folder = tmp_path_factory.mktemp("sessions") / "saved"
    session = new_session(retention="spill")
    session.add_points(5, 0, [[20, 30]], [1])
    session.add_mask(2, 1, torch.eye(64))
    tracked(session, max_frame_num_to_track=9)
    session.add_points(5, 0, [[44, 50]], [1], clear_old=False)
    session.save(folder, model())
    if request.param == "format 1":
        rewrite_as_format_1(folder, session)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return shutil.copytree(saved, tmp_path / "copy")


def goes_on(folder: Path) -> bool:
    """Whether the session can be taken up; it must be refused by an error of ours, or go on without any."""
    try:
        session = Sam2VideoInferenceSession.load(folder, video(), model())
        tracked(session, 9, max_frame_num_to_track=1)  # refuses a session without objects
        return True
    except InvalidInputError:
        return False


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_in(inner, (*place, name))


def changed(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place, or without it if the value is `changed` itself."""
    copied = json.loads(json.dumps(content))
    inner = copied
    for name in place[:-1]:
        inner = inner[name]
    if value is changed:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return copied


def test_descriptions_that_are_changed(copy: Path) -> None:
    """Their checksums are right all the same, as somebody would have it who changes them on purpose."""
    chance, content = random.Random(0), index_of(copy)
    rewrite: Callable[[Path, Any], object] = write_index
    if content["format"] == 1:
        rewrite = lambda folder, changed: (folder / "session.json").write_text(json.dumps(changed))  # noqa: E731
    places = [place for place in places_in(content) if place != ("checksum",)]
    refused = 0
    for _ in range(TRIES):
        place, value = chance.choice(places), chance.choice([*VALUES, changed])
        try:
            rewrite(copy, changed(content, place, value))
        except RecursionError:
            continue
        refused += not goes_on(copy)
    assert refused > TRIES // 2


@pytest.mark.parametrize("saved", ["format 1"], indirect=True)  # in format 2 their checksum would be another one
def test_tensors_that_are_changed(copy: Path) -> None:
    (path,) = (each for each in copy.glob("memories-*") if each.stem.count("-") == 1)
    tensors, chance = load(path.read_bytes()), random.Random(1)  # not mapped: the file is written anew
    for _ in range(TRIES // 3):
        name = chance.choice(sorted(tensors))
        other = chance.choice(CHANGES)(tensors[name])
        save_file({**tensors, name: other.contiguous()}, path)
        is_same = (other.shape, other.dtype) == (tensors[name].shape, tensors[name].dtype)  # an empty one, twice
        assert goes_on(copy) == is_same, name
        save_file({each: tensor for each, tensor in tensors.items() if each != name}, path)
        is_needed = not name.endswith(("/features", "/mask"))  # which may be missing
        assert not (goes_on(copy) and is_needed), name


CHANGES: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda tensor: tensor[None],
    lambda tensor: torch.cat([tensor.flatten(), tensor.flatten()]),
    lambda tensor: tensor.to(torch.int32),
    lambda tensor: tensor.to(torch.complex64),
)


def test_files_that_are_changed(copy: Path) -> None:
    """Any byte of any file: where there are checksums, nothing that was changed is taken for the session."""
    is_checked, chance = index_of(copy)["format"] == 2, random.Random(2)
    files = sorted(path for path in copy.iterdir() if path.name != ".lock")
    for _ in range(TRIES // 2):
        path = chance.choice(files)
        content = bytearray(path.read_bytes())
        place = chance.randrange(min(len(content), 2000))
        content[place] ^= 1 << chance.randrange(8)
        path.with_suffix(".kept").write_bytes(path.read_bytes())
        path.write_bytes(bytes(content) if chance.random() < 0.7 else bytes(content[:place]))
        is_same = path.name == "session.json" and is_equal_json(path)
        assert not (goes_on(copy) and is_checked and not is_same), (path.name, place)
        path.with_suffix(".kept").replace(path)
    assert goes_on(copy)


def is_equal_json(path: Path) -> bool:
    """Whether only white space is another one."""
    try:
        return bool(json.loads(path.read_bytes()) == json.loads(path.with_suffix(".kept").read_bytes()))
    except ValueError:
        return False


FILES = {"format 1": ("session.json", "memories"), "format 2": ("session.json", "memories", "history", "memory")}


@pytest.mark.parametrize(
    ("saved", "name"), [(version, name) for version, names in FILES.items() for name in names], indirect=["saved"]
)
def test_files_that_are_missing_or_none(copy: Path, name: str) -> None:
    found = sorted(copy.glob(f"{name}*"))
    found[0].unlink()
    with pytest.raises(DamagedSessionError):
        Sam2VideoInferenceSession.load(copy, video(), model())
    found[0].mkdir()
    with pytest.raises(DamagedSessionError):
        Sam2VideoInferenceSession.load(copy, video(), model())
