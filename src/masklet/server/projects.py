"""The projects of all users: folders with a database each, found through their owner and nobody else."""

import json
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from masklet.atomic_files import made_folder
from masklet.errors import InvalidInputError
from masklet.folders import entries, folders_in
from masklet.server.database import FILE, Database
from masklet.server.item_records import ItemRecords
from masklet.server.item_session import FOLDER as SESSIONS
from masklet.server.media_files import FOLDER, media_bytes, remove_media
from masklet.server.messages import ClassOfObjects, ItemKind, ProjectMessage
from masklet.server.problems import Problem, not_found
from masklet.server.rows import ItemRow

TRASH = ".trash"
TRASH_SECONDS = 7 * 24 * 3600


def new_id(prefix: str) -> str:
    """Return 128 random bits that can stand in an address, behind a prefix such as `prj`."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"


class Project:
    """A folder of a person's work.

    Attributes:
        id: of the project.
        owner: the user it belongs to.
        folder: of the database, `media`, `sessions` and `exports`.
        database: see `Database`.
        keeping: held while a file of media and the item that names it come or go.
    """

    def __init__(self, owner: str, folder: Path) -> None:
        self.id, self.owner, self.folder = folder.name, owner, folder
        self.database = Database(folder)
        self.keeping = Lock()

    def told(self, error: Exception) -> str:
        """Return what is wrong, without the server's own paths."""
        return str(error).replace(f"{self.folder}{os.sep}", "")

    @property
    def is_made(self) -> bool:
        """Whether it has its name: the first thing that is stored of it."""
        with self.database.reading() as connection:
            return connection.execute("SELECT 1 FROM project").fetchone() is not None

    @cached_property
    def created(self) -> float:
        """When it was made, in seconds since 1970."""
        with self.database.reading() as connection:
            return float(connection.execute("SELECT created FROM project").fetchone()[0])

    def items(self) -> list[ItemRow]:
        """Return the items in the order in which they were added."""
        with self.database.reading() as connection:
            return [ItemRow.of(row) for row in connection.execute("SELECT * FROM item ORDER BY key")]

    def message(self) -> ProjectMessage:
        """Return the project as a message."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT * FROM project").fetchone()
        return ProjectMessage(
            id=self.id,
            name=row["name"],
            classes=[ClassOfObjects(**each) for each in json.loads(row["classes"])],
            items=[each.message(self.id) for each in self.items()],
            revision=row["revision"],
            created=row["created"],
        )

    def change(self, name: str | None, classes: list[ClassOfObjects] | None, if_revision: int | None) -> None:
        """Change name and classes where given; Problem if the project moved on from that revision."""
        with self.database.writing() as connection:
            (revision,) = connection.execute("SELECT revision FROM project").fetchone()
            if if_revision is not None and if_revision != revision:
                raise Problem(409, "conflict", f"The project is at revision {revision}, not {if_revision}.")
            if name is not None:
                connection.execute("UPDATE project SET name=?", (name,))
            if classes is not None:
                written = json.dumps([each.model_dump() for each in classes])
                connection.execute("UPDATE project SET classes=?", (written,))
            connection.execute("UPDATE project SET revision=revision+1")

    def add_item(self, kind: ItemKind, name: str, media: str, size: int) -> str:
        """Add an item that is still to be imported, and return its id."""
        item_id = new_id("itm")
        values = (item_id, kind, name, media, size, "importing")
        with self.database.writing() as connection:
            query = "INSERT INTO item(id, kind, name, media, size, status) VALUES(?, ?, ?, ?, ?, ?)"
            connection.execute(query, values)
        return item_id

    def change_item(self, item_id: str, **fields: Any) -> None:
        """Set columns of an item."""
        settings = ", ".join(f"{name}=?" for name in fields)
        with self.database.writing() as connection:
            connection.execute(f"UPDATE item SET {settings} WHERE id=?", (*fields.values(), item_id))

    def records(self, item_id: str) -> ItemRecords | None:
        """Return what is stored of an item; None if there is none."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT key FROM item WHERE id=?", (item_id,)).fetchone()
        return None if row is None else ItemRecords(self.database, row["key"])


class Projects:
    """All projects below a folder, by their owners.

    Args:
        data: the folder.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self._lock = RLock()
        self._of: dict[str, dict[str, Project]] = {}
        self._items: dict[tuple[str, str], Project] = {}
        self._trashed: dict[str, int] = {}
        for owner in (each for each in entries(data) if each.is_dir()):
            for folder in (each for each in entries(owner) if (each / FILE).is_file()):
                self._open(owner.name, folder)
        self.empty_trash()

    def all(self) -> Iterator[Project]:
        """Yield every project."""
        for projects in list(self._of.values()):
            yield from list(projects.values())

    def of(self, owner: str) -> list[Project]:
        """Return the projects of a user, oldest first."""
        with self._lock:
            return sorted(self._of.get(owner, {}).values(), key=lambda each: each.created)

    def make(self, owner: str, name: str, classes: list[ClassOfObjects]) -> Project:
        """Make a project."""
        folder = self.folder_of(owner) / new_id("prj")
        folder.mkdir(mode=0o700)
        try:
            project = Project(owner, folder)
            with project.database.writing() as connection:
                written = json.dumps([each.model_dump() for each in classes])
                values = (project.id, name, written, time.time())
                connection.execute("INSERT INTO project VALUES(?, ?, ?, 0, ?)", values)
        except Problem:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._take(project)
        return project

    def folder_of(self, owner: str) -> Path:
        """Return the folder of a user, made if need be."""
        folder = self.data / owner
        made_folder(folder)
        folder.chmod(0o700)
        return folder

    def find(self, owner: str, project_id: str) -> Project:
        """Return a user's project; Problem for what is not there or somebody else's."""
        project = self._of.get(owner, {}).get(project_id)
        if project is None:
            raise not_found()
        return project

    def of_item(self, owner: str, item_id: str) -> Project:
        """Return the project of a user's item; Problem as for `find`."""
        project = self._items.get((owner, item_id))
        if project is None:
            raise not_found()
        return project

    def add_item(self, project: Project, kind: ItemKind, name: str, media: str, size: int) -> str:
        """Add an item to a project; see `Project.add_item`."""
        item_id = project.add_item(kind, name, media, size)
        with self._lock:
            self._items[project.owner, item_id] = project
        return item_id

    def add_stream(self, project: Project, name: str, height: int, width: int, *, is_recorded: bool) -> str:
        """Add an item that is a stream, ready for its first frame, and return its id."""
        item_id = self.add_item(project, "stream", name, "", 0)
        media = f"{FOLDER}/{item_id}" if is_recorded else ""
        project.change_item(item_id, media=media, height=height, width=width, status="ready")
        return item_id

    def remove_item(self, project: Project, item_id: str) -> None:
        """Remove an item; its media stay as long as another item shows them."""
        with project.keeping:
            (media,) = [item.media for item in project.items() if item.id == item_id]
            with project.database.writing() as connection:
                connection.execute("DELETE FROM item WHERE id=?", (item_id,))
            if media not in {item.media for item in project.items()}:
                remove_media(project.folder, media)
        shutil.rmtree(project.folder / SESSIONS / item_id, ignore_errors=True)
        with self._lock:
            self._items.pop((project.owner, item_id), None)

    def remove(self, project: Project) -> None:
        """Put a project into the trash, from where it goes after seven days."""
        with self._lock:
            self._of.get(project.owner, {}).pop(project.id, None)
            self._items = {key: each for key, each in self._items.items() if each is not project}
        project.database.close()
        trash = self.data / TRASH
        made_folder(trash)
        os.replace(project.folder, trash / f"{int(time.time())}-{project.owner}-{project.id}")

    def used_by(self, owner: str) -> int:
        """Return the bytes of a user's media, those in the trash as well."""
        kept = sum(item.size for project in list(self._of.get(owner, {}).values()) for item in project.items())
        return kept + sum(map(self._bytes_in_trash, _trash_of(self.data / TRASH, owner)))

    def empty_trash(self) -> None:
        """Delete projects that were put into the trash more than seven days ago."""
        trash = self.data / TRASH
        if not trash.is_dir():
            return
        for folder in entries(trash):
            since = folder.name.partition("-")[0]
            if since.isdecimal() and int(since) < time.time() - TRASH_SECONDS:  # other names are not ours
                shutil.rmtree(folder, ignore_errors=True)
                self._trashed.pop(folder.name, None)

    def close(self) -> None:
        """Close all files."""
        for project in self.all():
            project.database.close()

    def _open(self, owner: str, folder: Path) -> None:
        """Take a project from earlier; one that cannot be read is left aside, so that the others can be worked on."""
        try:
            project = Project(owner, folder)
        except InvalidInputError as error:
            logging.getLogger("masklet.server").error("a project is left aside: %s", error)
            return
        if project.is_made:
            self._take(project)
            return
        project.database.close()
        if not (folder / FOLDER).exists():  # a kill came before anybody knew of it
            shutil.rmtree(folder, ignore_errors=True)

    def _bytes_in_trash(self, folder: Path) -> int:
        if folder.name not in self._trashed:  # where nothing changes any more
            self._trashed[folder.name] = media_bytes(folder)
        return self._trashed[folder.name]

    def _take(self, project: Project) -> None:
        with self._lock:
            self._of.setdefault(project.owner, {})[project.id] = project
            self._items |= {(project.owner, item.id): project for item in project.items()}


def _trash_of(trash: Path, owner: str) -> list[Path]:
    """Return the folders of a user's projects in the trash, whose names are TIME-OWNER-PROJECT."""
    own = re.compile(rf"\d+-{re.escape(owner)}-prj_[A-Za-z0-9_-]{{22}}")
    return [folder for folder in folders_in(trash) if own.fullmatch(folder.name)]
