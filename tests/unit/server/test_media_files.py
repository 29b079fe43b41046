"""Media that come in: zips that lead elsewhere, paths outside, bytes that are announced wrongly."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.video_files import write_small_video

from masklet import InvalidInputError
from masklet.media.video_reader import open_video
from masklet.server.media_files import Readers, filmstrip, opened, outside_file, unpacked
from masklet.server.problems import Problem
from masklet.server.rows import ItemRow
from masklet.server.uploads import Part


def png(colour: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((6, 8, 3), colour, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def zipped(folder: Path, files: dict[str, bytes], *, mode: int = 0) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return folder / "a.zip"


def test_a_folder_of_images(tmp_path: Path) -> None:
    media = unpacked(zipped(tmp_path, {"f/2.png": png(2), "f/10.png": png(10), "notes.txt": b"x"}), tmp_path, "a" * 64)
    assert sorted(path.name for path in (tmp_path / media).iterdir() if not path.name.startswith(".")) == [
        "f_10.png",
        "f_2.png",
    ]
    row = ItemRow(1, "itm_1", "images", "f", media, None, None, None, None, None, 0, "importing", None, 0, 0, 1)
    with opened(row, tmp_path) as reader:
        assert [int(reader[number][0, 0, 0]) for number in range(2)] == [2, 10]


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "a/../../x.png"])
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="leads elsewhere"):
        unpacked(zipped(tmp_path, {name: png(1)}), tmp_path / "project", "a" * 64)
    assert not list(tmp_path.rglob("x.png"))


def test_links_and_bombs(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="leads elsewhere"):
        unpacked(zipped(tmp_path, {"x.png": b"/etc/passwd"}, mode=0o120777), tmp_path, "a" * 64)
    with pytest.raises(InvalidInputError, match="would grow"):
        unpacked(zipped(tmp_path, {"x.png": bytes(20_000_000)}), tmp_path, "b" * 64)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InvalidInputError, match="must be a zip"):
        unpacked(tmp_path / "a.zip", tmp_path, "c" * 64)


def test_files_of_the_server(tmp_path: Path) -> None:
    inside, secret = tmp_path / "root" / "a.png", tmp_path / "secret.png"
    inside.parent.mkdir()
    for file in (inside, secret):
        file.write_bytes(png(1))
    (inside.parent / "link.png").symlink_to(secret)
    roots = [inside.parent]
    assert outside_file(str(inside), roots) == inside
    for path in (secret, inside.parent / ".." / "secret.png", inside.parent / "link.png", Path("/dev/zero")):
        with pytest.raises(Problem) as caught:
            outside_file(str(path), roots)
        assert caught.value.status_code == 404


def test_readers_that_are_in_use_stay_open(tmp_path: Path) -> None:
    rows = []
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(number))
        about = (None, None, None, None, None, 0, "ready", None, 0, 0, 1)
        rows.append(ItemRow(1, f"itm_{number}", "images", "f", str(tmp_path), *about))
    readers = Readers(1)
    first = readers.get(rows[0], tmp_path)
    others = [readers.get(row, tmp_path) for row in rows[1:]]
    assert [int(each[number][0, 0, 0]) for number, each in enumerate([first, *others])] == [0, 1, 2]
    assert readers.get(rows[0], tmp_path) is not first, "only one is kept for the next who asks"
    readers.close()


@pytest.mark.parametrize(
    ("key_every", "count", "shown"),
    [(10, 4, [0, 10, 30, 40]), (10, 60, [*range(60)]), (1000, 4, [0, 15, 30, 45]), (20, 2, [0, 20])],
)
def test_key_frames_stand_for_frames_of_the_filmstrip_near_them(
    tmp_path: Path, key_every: int, count: int, shown: list[int]
) -> None:
    greys = [np.full((16, 16, 3), 4 * number, np.uint8) for number in range(60)]
    write_small_video(tmp_path / "v.mp4", greys, key_every=key_every, bf="2", sc_threshold="0")
    with open_video(tmp_path / "v.mp4") as video:
        strip = np.asarray(Image.open(io.BytesIO(filmstrip(video, count, 16))))
    assert [round(each.mean() / 4) for each in np.split(strip, count, axis=1)] == shown


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 400), ("bytes 0-9", 400), ("bytes */10", 400), ("bytes 5-4/10", 416), ("bytes 0-10/10", 416)],
)
def test_parts_that_name_nothing(header: str | None, status: int) -> None:
    with pytest.raises(Problem) as caught:
        Part.of(header)
    assert caught.value.status_code == status
    assert Part.of("bytes 3-9/10") == Part(3, 9, 10)
