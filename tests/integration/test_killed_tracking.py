"""`masklet track` killed at any moment, and taken up again: the results are those of a run that nobody killed."""

import itertools
import random
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.support.killed_commands import KILLED, Commands, commands
from tests.support.small_video_models import SIZE, small_video_model
from tests.support.video_files import moving_square, write_small_video

from masklet import Sam2Processor

FRAMES = 14
PROMPTS = ("--box", "2,8,20,28@5", "--point", "30,30@5:2", "--direction", "both")
PRODUCTS = tuple(
    word for each in ("overlay", "contact-sheet", "label-maps", "mask-videos") for word in ("--write", each)
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the video v.mp4 and a small model."""
    folder = tmp_path_factory.mktemp("here")
    write_small_video(folder / "v.mp4", moving_square(FRAMES))
    small_video_model().save_pretrained(folder / "model")
    Sam2Processor(size=SIZE).save_pretrained(folder / "model")
    return folder


@pytest.fixture(scope="module")
def masklet() -> Iterator[Commands]:
    with commands() as running:
        yield running


def options(here: Path, *more: str) -> tuple[str, ...]:
    model = ("--model", str(here / "model"), "--device", "cpu")
    return ("track", str(here / "v.mp4"), *model, "--save-every", "0.001", "-o", "out", *more)


def content(folder: Path) -> dict[str, bytes]:
    """All files below a folder but those of sessions."""
    files = (path for path in folder.rglob("*") if path.is_file() and "session" not in str(path.relative_to(folder)))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def uninterrupted(here: Path, masklet: Commands, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run writes that nobody kills."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert masklet.run(folder, *options(here, *PROMPTS, *PRODUCTS)) == 0, (folder / "stderr").read_text()
    assert not list((folder / "out").rglob("*session*"))
    assert len(content(folder / "out")) == 4 + FRAMES + 1
    return content(folder / "out")


def check_goes_on(folder: Path, here: Path, masklet: Commands, *products: str) -> None:
    """Take up what a killed run left in `folder`, as its user would: without the prompts, if a session was saved."""
    is_saved = (folder / "out" / "v_session" / "session.json").exists()
    prompts = ("--resume", "out/v_session") if is_saved else PROMPTS
    assert masklet.run(folder, *options(here, *prompts, *products)) == 0, (folder / "stderr").read_text()
    assert not list(folder.rglob(".unfinished-*"))


def killed_at(points: Iterable[int], folder: Path, here: Path, masklet: Commands, *products: str) -> Iterator[Path]:
    """Yield a folder for each point at which a run was killed, until one ends before its point."""
    for nth in points:
        place = folder / str(nth)
        place.mkdir()
        code = masklet.run(place, *options(here, *PROMPTS, *products), nth=nth)
        if code == 0:
            return
        assert code == KILLED, (place / "stderr").read_text()
        yield place


def test_killed_while_it_saves_the_session(
    here: Path, masklet: Commands, uninterrupted: dict[str, bytes], tmp_path: Path
) -> None:
    """At every step around two commits: what is taken up is one of them, masks and memories alike."""
    places = list(killed_at(range(5, 21), tmp_path, here, masklet, "--write", "none"))
    assert len(places) > 10
    assert {(place / "out" / "v_session" / "session.json").exists() for place in places} == {True, False}
    for place in places:
        check_goes_on(place, here, masklet, "--write", "none")
        assert content(place / "out") == {"v.json": uninterrupted["v.json"]}


def test_killed_now_and_then(here: Path, masklet: Commands, uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    """Later, too, while results are written: each of them comes out byte by byte."""
    places = list(killed_at(itertools.count(17, 15), tmp_path, here, masklet, *PRODUCTS))
    assert len(places) >= 2
    for place in places:
        check_goes_on(place, here, masklet, *PRODUCTS)
        assert content(place / "out") == uninterrupted


@pytest.mark.slow
def test_killed_anywhere(here: Path, masklet: Commands, uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    for place in killed_at(itertools.count(1), tmp_path, here, masklet, *PRODUCTS):
        check_goes_on(place, here, masklet, *PRODUCTS)
        assert content(place / "out") == uninterrupted


def test_killed_again_and_again(here: Path, masklet: Commands, uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    """At random times; whoever goes on is killed as well."""
    begin = time.monotonic()
    assert masklet.run(tmp_path, *options(here, *PROMPTS, *PRODUCTS)) == 0
    duration, chance = time.monotonic() - begin, random.Random(5)
    shutil.rmtree(tmp_path / "out")
    for _ in range(5):
        is_saved = (tmp_path / "out" / "v_session" / "session.json").exists()
        prompts = ("--resume", "out/v_session") if is_saved else PROMPTS
        masklet.run(tmp_path, *options(here, *prompts, *PRODUCTS), seconds=duration * chance.uniform(0.2, 0.9))
    check_goes_on(tmp_path, here, masklet, *PRODUCTS)
    assert content(tmp_path / "out") == uninterrupted


def test_a_killed_correction_goes_on_as_one(here: Path, masklet: Commands, tmp_path: Path) -> None:
    """Frames behind a correction were tracked before it; they are old until they are tracked again."""
    json_only = ("--write", "none")
    assert masklet.run(tmp_path, *options(here, *PROMPTS, *json_only, "--save-session", "kept")) == 0
    before, first = content(tmp_path / "kept"), (tmp_path / "out" / "v.json").read_bytes()
    correction = options(here, "--resume", "kept", "--point", "30,30,0@7:2", "--direction", "both", *json_only)
    assert masklet.run(tmp_path, *correction) == 0
    expected = (tmp_path / "out" / "v.json").read_bytes()
    assert expected != first
    (tmp_path / "out" / "v.json").unlink()
    assert masklet.run(tmp_path, *correction, calls=["replace"], nth=2) == KILLED
    assert content(tmp_path / "kept") == before  # what was kept on purpose stays as it is
    check_goes_on(tmp_path, here, masklet, *json_only)
    assert (tmp_path / "out" / "v.json").read_bytes() == expected


def test_two_runs_of_one_output_leave_each_other_alone(here: Path, masklet: Commands, tmp_path: Path) -> None:
    """The second finds the unfinished session of the first, which was killed, and takes another folder."""
    assert masklet.run(tmp_path, *options(here, *PROMPTS), calls=["replace"], nth=2) == KILLED
    first = (tmp_path / "out" / "v_session" / "session.json").read_bytes()
    assert masklet.run(tmp_path, *options(here, *PROMPTS), calls=["replace"], nth=2) == KILLED
    note = "out/v_session holds an unfinished session, it stays as it is; continue it with --resume"
    assert note in (tmp_path / "stderr").read_text()
    assert (tmp_path / "out" / "v_session" / "session.json").read_bytes() == first
    assert (tmp_path / "out" / "v_session_2" / "session.json").exists()
