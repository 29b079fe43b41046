"""How items come into being: from uploads, from addresses, and after a kill in between."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from masklet.errors import InvalidInputError
from masklet.server.fetching import AllowedAddress
from masklet.server.importing import Importing
from masklet.server.limits import Limits
from masklet.server.media_files import Readers, hash_of_file
from masklet.server.messages import NewUpload
from masklet.server.projects import Project, Projects
from masklet.server.rows import ItemRow
from masklet.server.uploads import Part, Upload, Uploads

TRUCK = Path(__file__).parents[3] / "assets" / "truck.jpg"
PLACES = [AllowedAddress.of("http://media.example/clips/")]
NO_DISK_LIMIT = Limits(least_free_disk=0)


@pytest.fixture
def uploads(projects: Projects) -> Uploads:
    return Uploads(projects, NO_DISK_LIMIT)


@pytest.fixture
def importing(projects: Projects, uploads: Uploads) -> Iterator[Importing]:
    made = Importing(projects, uploads, Readers(4), NO_DISK_LIMIT)
    yield made
    made.close()


def complete(uploads: Uploads, project: Project) -> Upload:
    content = TRUCK.read_bytes()
    upload = uploads.begin(project, NewUpload(name="truck.jpg", size=len(content), kind="image"))
    uploads.append(upload, Part(0, len(content) - 1, len(content)), content)
    return upload


def after_restart(projects: Projects, uploads: Uploads, project: Project) -> ItemRow:
    again = Importing(projects, uploads, Readers(4), NO_DISK_LIMIT)
    again.go_on()
    again.close()
    (item,) = project.items()
    return item


def test_an_upload_becomes_an_item(importing: Importing, uploads: Uploads, project: Project) -> None:
    item = importing.take_upload(project, upload := complete(uploads, project))
    assert (item.status, item.width, item.height, item.sha256) == ("ready", 1024, 683, hash_of_file(TRUCK))
    assert not upload.folder.exists()


def test_imports_go_on_after_a_kill(projects: Projects, uploads: Uploads, project: Project) -> None:
    upload = complete(uploads, project)
    projects.add_item(project, "image", "truck.jpg", upload.id, upload.size)
    item = after_restart(projects, uploads, project)
    assert (item.status, item.width, item.sha256) == ("ready", 1024, hash_of_file(TRUCK))


def test_media_in_place_are_opened_after_a_kill(projects: Projects, uploads: Uploads, project: Project) -> None:
    (project.folder / "media").mkdir()
    os.link(TRUCK, project.folder / "media" / "truck.jpg")
    projects.add_item(project, "image", "truck.jpg", "media/truck.jpg", 1)
    assert after_restart(projects, uploads, project).status == "ready"


@pytest.mark.parametrize("media", ["", "upl_" + "A" * 22])
def test_what_was_on_its_way_at_a_kill_has_failed(
    projects: Projects, uploads: Uploads, project: Project, media: str
) -> None:
    projects.add_item(project, "video", "walk.mp4", media, 0)
    item = after_restart(projects, uploads, project)
    assert (item.status, item.error) == ("failed", "The server stopped before the file was in place.")


def test_files_of_addresses(
    importing: Importing, projects: Projects, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(url: str, places: object, file: Path, most: int, check_room: object) -> int:
        if url.endswith("gone.jpg"):
            raise InvalidInputError(f"{url} cannot be fetched.")
        return file.write_bytes(TRUCK.read_bytes())

    monkeypatch.setattr("masklet.server.importing.fetch", fetched)
    item = importing.take_address(project, "http://media.example/clips/truck.jpg", PLACES)
    assert (item.kind, item.name, item.status, item.width) == ("image", "truck.jpg", "ready", 1024)
    assert projects.used_by("ann") == item.size == TRUCK.stat().st_size
    gone = importing.take_address(project, "http://media.example/clips/gone.jpg", PLACES)
    assert (gone.status, gone.error) == ("failed", "http://media.example/clips/gone.jpg cannot be fetched.")
    assert list((projects.data / "ann" / "uploads").iterdir()) == []
    with pytest.raises(InvalidInputError, match="see --allow-url"):
        importing.take_address(project, "http://127.0.0.1/clips/truck.jpg", PLACES)
