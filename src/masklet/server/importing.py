"""From an uploaded file, or one of the server's own, to an item that can be worked on."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from functools import partial
from pathlib import Path

from masklet.errors import InvalidInputError, UnreadableImageError, UnreadableVideoError
from masklet.media.frame_folders import IMAGE_SUFFIXES
from masklet.server.fetching import AllowedAddress, allowed, fetch
from masklet.server.limits import Limits
from masklet.server.media_files import Readers, hash_of_file, kept_by_hash, opened, unpacked
from masklet.server.messages import ItemKind, NewUpload
from masklet.server.problems import Problem
from masklet.server.projects import Project, Projects
from masklet.server.rows import ItemRow
from masklet.server.uploads import Upload, Uploads

PATIENCE = 2.0
"""Seconds that the last part of an upload waits for its item; a longer import goes on without it."""
_THREADS = 2


class Importing:
    """Imports files, a few at a time.

    Args:
        projects: where items are.
        uploads: where files come from.
        readers: opens media.
        limits: of frames.
    """

    def __init__(self, projects: Projects, uploads: Uploads, readers: Readers, limits: Limits) -> None:
        self._projects, self._uploads, self._readers, self._limits = projects, uploads, readers, limits
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="masklet-import")

    def take_upload(self, project: Project, upload: Upload) -> ItemRow:
        """Make an item of a complete upload; it may still be importing, or have failed."""
        assert upload.kind != "masks"
        item_id = self._projects.add_item(project, upload.kind, upload.name, upload.id, upload.size)
        return self._awaited(project, item_id, self._threads.submit(self._import_upload, project, item_id, upload))

    def take_file(self, project: Project, path: Path) -> ItemRow:
        """Make an item of a file or folder of the server's own, which stays where it is."""
        is_image = path.suffix.lower() in IMAGE_SUFFIXES
        kind: ItemKind = "images" if path.is_dir() else "image" if is_image else "video"
        size = 0 if path.is_dir() else path.stat().st_size
        item_id = self._projects.add_item(project, kind, path.name, os.fspath(path), size)
        return self._awaited(project, item_id, self._threads.submit(self._finish, project, item_id, None))

    def take_address(self, project: Project, url: str, places: Sequence[AllowedAddress]) -> ItemRow:
        """Make an item of an image or video that is fetched; InvalidInputError unless it is below one of the places."""
        name = allowed(url, places)
        kind: ItemKind = "image" if Path(name).suffix.lower() in IMAGE_SUFFIXES else "video"
        upload = self._uploads.begin(project, NewUpload(name=name, size=1, kind=kind))
        item_id = self._projects.add_item(project, kind, name, "", 0)
        return self._awaited(project, item_id, self._threads.submit(self._fetch, project, item_id, upload, url, places))

    def go_on(self) -> None:
        """Go on with what was being imported when the server was killed; to be called before the first request."""
        for project in self._projects.all():
            for item in (each for each in project.items() if each.status == "importing"):
                try:
                    upload = self._uploads.find(project.owner, item.media)
                except Problem:
                    self._end_interrupted(project, item)
                else:
                    self._threads.submit(self._import_upload, project, item.id, upload)

    def close(self) -> None:
        """Wait for what is being imported."""
        self._threads.shutdown()

    def _awaited(self, project: Project, item_id: str, work: "Future[None]") -> ItemRow:
        with suppress(FutureTimeout):
            work.result(PATIENCE)
        records = project.records(item_id)
        assert records is not None
        return records.item()

    def _end_interrupted(self, project: Project, item: ItemRow) -> None:
        """Open the media of an item that are in place; what was still on its way is failed."""
        if item.media and (project.folder / item.media).exists():
            self._threads.submit(self._finish, project, item.id, item.sha256)
        else:
            project.change_item(item.id, status="failed", error="The server stopped before the file was in place.")

    def _fetch(
        self, project: Project, item_id: str, upload: Upload, url: str, places: Sequence[AllowedAddress]
    ) -> None:
        try:
            check_room = partial(self._uploads.check_room, project.owner)
            size = fetch(url, places, upload.data, self._limits.file, check_room)
        except (InvalidInputError, Problem, OSError) as error:
            reason = str(error.detail) if isinstance(error, Problem) else project.told(error)
            project.change_item(item_id, status="failed", error=reason)
            self._uploads.discard(upload)
            return
        project.change_item(item_id, size=size)
        self._import_upload(project, item_id, upload)

    def _import_upload(self, project: Project, item_id: str, upload: Upload) -> None:
        try:
            sha256 = hash_of_file(upload.data)
            if upload.sha256 not in (None, sha256):
                raise InvalidInputError(f"The file has the SHA-256 {sha256}, not {upload.sha256}.")
            with project.keeping:
                if upload.kind == "images":
                    media = unpacked(upload.data, project.folder, sha256)
                else:
                    media = kept_by_hash(upload.data, project.folder, sha256, upload.suffix)
                project.change_item(item_id, media=media, sha256=sha256)
        except (InvalidInputError, OSError) as error:
            project.change_item(item_id, status="failed", error=project.told(error))
            return
        finally:
            self._uploads.discard(upload)
        self._finish(project, item_id, sha256)

    def _finish(self, project: Project, item_id: str, sha256: str | None) -> None:
        """Open the media of an item once, and note what they are."""
        records = project.records(item_id)
        if records is None:
            return
        item = records.item()
        try:
            with opened(item, project.folder) as reader:
                if len(reader) > self._limits.frames or reader.height * reader.width > self._limits.image_pixels:
                    raise InvalidInputError(f"{len(reader)} frames of {reader.width} x {reader.height} are too many.")
                size = {"width": reader.width, "height": reader.height, "frames": len(reader)}
                fps = None if item.kind == "image" else float(reader.frame_rate)
            project.change_item(item_id, status="ready", fps=fps, **size)
        except (InvalidInputError, UnreadableImageError, UnreadableVideoError, OSError) as error:
            project.change_item(item_id, status="failed", error=project.told(error))
        except Exception as error:
            logging.getLogger("masklet.server").error("a file could not be imported", exc_info=error)
            project.change_item(item_id, status="failed", error="The file cannot be read.")
