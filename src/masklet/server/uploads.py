"""Files that come in parts: each upload in a folder of its own, so that it goes on after any interruption."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from masklet.atomic_files import made_folder, written_whole
from masklet.errors import InvalidInputError
from masklet.folders import bytes_of, unchanged_for
from masklet.json_files import read_json
from masklet.server.limits import Limits
from masklet.server.messages import NewUpload, UploadKind
from masklet.server.problems import Problem, conflict, not_found, unusable
from masklet.server.projects import Project, Projects, new_id

FOLDER = "uploads"
_ABOUT, _DATA = "upload.json", "data"
KEPT_SECONDS = 7 * 24 * 3600
_ID = re.compile("upl_[A-Za-z0-9_-]{22}")
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(frozen=True)
class Part:
    """The bytes `first` to `last` of a file of `size`."""

    first: int
    last: int
    size: int

    @classmethod
    def of(cls, header: str | None) -> Self:
        """Return what the header `Content-Range` names; Problem if it names nothing."""
        match = _RANGE.fullmatch(header or "")
        if match is None:
            raise Problem(400, "malformed", "A part needs the header Content-Range: bytes FIRST-LAST/SIZE.")
        part = cls(*(int(each) for each in match.groups()))
        if not part.first <= part.last < part.size:
            raise Problem(416, "outside", f"There are no bytes {part.first} to {part.last} of {part.size}.")
        return part


@dataclass(frozen=True)
class Upload:
    """A file that is coming.

    Attributes:
        id: of the upload.
        project: the id of the project that it goes to.
        name: what it is called; a label only.
        size: how many bytes it will have.
        kind: what it is; masks become no item.
        sha256: what it was announced to be; None: nothing.
        folder: where it lies.
    """

    id: str
    project: str
    name: str
    size: int
    kind: UploadKind
    sha256: str | None
    folder: Path

    @property
    def data(self) -> Path:
        """The file itself."""
        return self.folder / _DATA

    @property
    def offset(self) -> int:
        """How many bytes are there; Problem if the upload is gone."""
        with _unless_gone():
            return self.data.stat().st_size

    @property
    def suffix(self) -> str:
        """The suffix of its name, if that is a plain one."""
        suffix = Path(self.name).suffix.lower()
        return suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""


class Uploads:
    """The uploads of all users.

    Args:
        projects: where the files go.
        limits: of sizes.
    """

    def __init__(self, projects: Projects, limits: Limits) -> None:
        self._projects, self._limits = projects, limits
        self._lock = Lock()

    def begin(self, project: Project, asked: NewUpload) -> Upload:
        """Begin an upload; Problem if it is too large, or there is no room for it."""
        if asked.size > self._limits.file:
            raise Problem(413, "too_large", f"A file has at most {self._limits.file} bytes.", "size")
        self.check_room(project.owner, asked.size)
        upload_id = new_id("upl")
        folder = self._folder(project.owner) / upload_id
        made_folder(folder)
        upload = Upload(upload_id, project.id, asked.name, asked.size, asked.kind, asked.sha256, folder)
        upload.data.touch()
        about = {name: value for name, value in asdict(upload).items() if name not in ("id", "folder")}
        with written_whole(folder / _ABOUT, durable=True) as unfinished:
            unfinished.write_text(json.dumps(about), encoding="utf-8")
        return upload

    def check_room(self, owner: str, size: int) -> None:
        """Raise a Problem if so many bytes, beside those of items and uploads, exceed the user's quota or the disk."""
        coming = bytes_of(self._folder(owner), f"*/{_DATA}")
        if self._projects.used_by(owner) + coming + size > self._limits.quota:
            raise Problem(507, "quota", f"The quota of {self._limits.quota} bytes would be exceeded.")
        if shutil.disk_usage(self._projects.data).free - size < self._limits.least_free_disk:
            raise Problem(507, "disk_full", "The disk of the server has too little room.")

    def find(self, owner: str, upload_id: str) -> Upload:
        """Return a user's upload; Problem for what is not there or somebody else's."""
        folder = self._folder(owner) / upload_id
        if not _ID.fullmatch(upload_id):
            raise not_found()
        try:
            return Upload(id=upload_id, folder=folder, **read_json(folder / _ABOUT))
        except InvalidInputError as error:  # there is none, or it is removed at this moment
            raise not_found() from error

    def append(self, upload: Upload, part: Part, content: bytes) -> int:
        """Add the next part, which is on the disk afterwards, and return how many bytes are there.

        Problem for a part that is not the next one, or is not as long as it says.
        """
        if part.size != upload.size or part.last >= upload.size:
            raise Problem(416, "outside", f"The file was announced with {upload.size} bytes.")
        if len(content) != part.last - part.first + 1:
            raise Problem(400, "malformed", f"The part has {len(content)} bytes, not what Content-Range says.")
        with self._lock:
            offset = upload.offset
            if part.first != offset:
                raise conflict(f"The upload goes on at byte {offset}.", {"Upload-Offset": str(offset)})
            with _unless_gone(), upload.data.open("ab") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        return offset + len(content)

    def remove_old(self) -> None:
        """Remove uploads that nobody went on with for a week."""
        for path in unchanged_for(self._projects.data, f"*/{FOLDER}/upl_*/{_DATA}", KEPT_SECONDS):
            shutil.rmtree(path.parent, ignore_errors=True)

    def discard(self, upload: Upload) -> None:
        """Remove an upload."""
        shutil.rmtree(upload.folder, ignore_errors=True)

    def _folder(self, owner: str) -> Path:
        return self._projects.folder_of(owner) / FOLDER


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Raise a Problem for an upload that another request finished, or that was removed, at this moment."""
    try:
        yield
    except FileNotFoundError as error:
        raise not_found() from error


def check_kind(kind: UploadKind) -> None:
    """Raise a Problem for kinds that are no files."""
    if kind == "stream":
        raise unusable("Streams are not uploaded.", "kind")
