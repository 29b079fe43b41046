"""A project as one file, that opens on another machine: its database, its media and the model's saved sessions."""

import re
import shutil
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path, PurePosixPath

from masklet.atomic_files import made_folder, written_whole
from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.server.database import FILE, Database
from masklet.server.item_session import FOLDER as SESSIONS
from masklet.server.media_files import FOLDER as MEDIA
from masklet.server.media_files import unpacked_all
from masklet.server.schema import UNDONE_TABLES

_ID = re.compile("prj_[A-Za-z0-9_-]{22}")
_UNDOING = re.compile(rf"(DELETE FROM|INSERT INTO|UPDATE) ({'|'.join([*UNDONE_TABLES, 'run'])})\b")


def export_project(data: Path, name: str, target: Path) -> None:
    """Write a project into a zip, while a server runs or not; media that lie outside are taken along.

    Args:
        data: the server's folder.
        name: the project's id, or its name, if no other project has it.
        target: the file, which appears when it is complete.

    Raises:
        InvalidInputError: if there is no such project, or its media are gone.
    """
    folder = _folder_of(data, name)
    with tempfile.TemporaryDirectory() as place, written_whole(target) as unfinished:
        copy = Path(place) / FILE
        with closing(sqlite3.connect(folder / FILE)) as source, closing(sqlite3.connect(copy)) as made:
            source.backup(made)
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for kept in (MEDIA, SESSIONS):
                for path in matching(folder / kept, "**/*"):
                    if path.is_file():
                        archive.write(path, path.relative_to(folder).as_posix())
            _take_along(copy, folder, archive)
            archive.writestr("project.txt", folder.name)
            archive.write(copy, FILE)


def import_project(data: Path, owner: str, archive: Path) -> str:
    """Add a project that `export_project` wrote to those of a user, while no server runs; return its id.

    InvalidInputError if it is no such file, or the project is there already.
    """
    made_folder(data / owner)
    with tempfile.TemporaryDirectory(dir=data) as place:
        unpacked = Path(place) / "unpacked"
        unpacked.mkdir()
        unpacked_all(archive, unpacked, lambda size: None)
        project_id = _id_in(unpacked, archive)
        if matching(data, f"*/{project_id}"):
            raise InvalidInputError(f"The project {project_id} is there already.")
        made = Path(place) / "made"
        made.mkdir(mode=0o700)
        for kept in (MEDIA, SESSIONS):
            if (unpacked / kept).is_dir():
                shutil.move(unpacked / kept, made / kept)
        _copy_rows(unpacked, made)
        made.rename(data / owner / project_id)
    return project_id


def _folder_of(data: Path, name: str) -> Path:
    found = {}
    for file in matching(data, f"*/*/{FILE}"):
        with closing(sqlite3.connect(file)) as connection:
            found[file.parent] = connection.execute("SELECT name FROM project").fetchone()[0]
    chosen = [folder for folder, known in found.items() if folder.name == name] or [
        folder for folder, known in found.items() if known == name
    ]
    if len(chosen) != 1:
        what = "There is no project" if not chosen else "There are several projects"
        known = ", ".join(f"{folder.name} ({each})" for folder, each in found.items()) or "none"
        raise InvalidInputError(f"{what} {name!r} in {data}; there are: {known}.")
    return chosen[0]


def _take_along(copy: Path, folder: Path, archive: zipfile.ZipFile) -> None:
    """Put media that lie outside the project's folder into the archive, and name them there."""
    with closing(sqlite3.connect(copy)) as connection, connection:
        for key, item, media in connection.execute("SELECT key, id, media FROM item").fetchall():
            path = Path(media)
            if not path.is_absolute():
                continue
            if not path.exists():
                raise InvalidInputError(f"{path} is gone, which an item of {folder.name} shows.")
            name = f"{MEDIA}/{item}{path.suffix if path.is_file() else ''}"
            files = (
                [(path, name)] if path.is_file() else [(each, f"{name}/{each.name}") for each in matching(path, "*")]
            )
            for file, inside in files:
                if file.is_file():
                    archive.write(file, inside)
            connection.execute("UPDATE item SET media=? WHERE key=?", (name, key))


def _id_in(unpacked: Path, archive: Path) -> str:
    about = unpacked / "project.txt"
    project_id = about.read_text(encoding="utf-8").strip() if about.is_file() else ""
    if not _ID.fullmatch(project_id) or not (unpacked / FILE).is_file():
        raise InvalidInputError(f"{archive} is no project that was exported.")
    return project_id


def _copy_rows(source: Path, target: Path) -> None:
    """Copy all rows into a new file: nothing but rows of tables that are known comes from elsewhere."""
    Database(source).close()  # brings an earlier format up to date
    made = Database(target)
    with made.reading() as connection:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("ATTACH ? AS other", (str(source / FILE),))
        _check(connection)
        names = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' AND name<>'journal'"
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("BEGIN")
        for (table,) in connection.execute(names).fetchall():
            columns = ", ".join(row["name"] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table}({columns}) SELECT {columns} FROM other.{table}")
        connection.execute("COMMIT")
        connection.execute("DETACH other")
    made.close()


def _check(connection: sqlite3.Connection) -> None:
    """Refuse media that lie elsewhere, and statements for undoing that do something else."""
    for (media,) in connection.execute("SELECT media FROM other.item"):
        path = PurePosixPath(str(media))
        if path.is_absolute() or ".." in path.parts or (media and path.parts[0] != MEDIA):
            raise InvalidInputError(f"The project has media at {media!r}, outside of it.")
    for (statement,) in connection.execute("SELECT statement FROM other.change"):
        if not _UNDOING.match(str(statement)):
            raise InvalidInputError("The project has an act that cannot be one of masklet's.")
