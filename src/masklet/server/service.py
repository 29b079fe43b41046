"""What a server consists of: its users, its model and the projects; made once, before the first request."""

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock

from masklet.media.pixel_limit import set_max_image_pixels
from masklet.predictors.video_tracker import VideoTracker
from masklet.server.acts import record_run
from masklet.server.adapters.foreign_media import LabelStudioMedia
from masklet.server.adapters.foreign_requests import ForeignRequests
from masklet.server.events import Listener
from masklet.server.exporting import format_names, remove_old_exports
from masklet.server.fairness import Urgency
from masklet.server.handling import Handling
from masklet.server.housekeeping import Housekeeping
from masklet.server.importing import Importing
from masklet.server.jobs import JobBook
from masklet.server.kept_answers import KeptAnswers
from masklet.server.live import ended
from masklet.server.live_feed import end_stream
from masklet.server.media_files import Readers
from masklet.server.messages import Metrics, ModelInfo
from masklet.server.open_items import SPILL, Model, OpenItem, OpenItems
from masklet.server.problems import Problem
from masklet.server.process import resident_bytes
from masklet.server.projects import Project, Projects
from masklet.server.scrubbing import ScrubbingCopies
from masklet.server.settings import ServerSettings
from masklet.server.tokens import Tokens
from masklet.server.uploads import Uploads

FEATURES = ("images", "videos", "tracking", "review", "everything", "live")
OPENED = "Opened files"
"""The project of what was named on the command line."""
ANSWERS = "answers.sqlite"
_WORKERS = 32


class Service:
    """Everything that routes need.

    Args:
        settings: what the server was started with.
        tracker: the model.
        tokens: who callers are.
        model_name: what the model was loaded from.
    """

    def __init__(self, settings: ServerSettings, tracker: VideoTracker, tokens: Tokens, model_name: str) -> None:
        self.settings, self.tokens = settings, tokens
        self.features = [*FEATURES, *(f"export:{name}" for name in format_names())]
        limits = settings.limits
        set_max_image_pixels(limits.image_pixels)
        runtime = tracker.runtime
        self.model_info = ModelInfo(
            name=model_name,
            image_size=runtime.config.image_size,
            device=str(runtime.device),
            dtype=str(runtime.dtype).removeprefix("torch."),
            preset=settings.preset,
        )
        self.model = Model(tracker, limits)
        self.foreign = ForeignRequests(self.model, LabelStudioMedia.of_environment())
        self.readers = Readers(limits.sessions)
        self.projects = Projects(settings.data)
        self.uploads = Uploads(self.projects, limits)
        self.importing = Importing(self.projects, self.uploads, self.readers, limits)
        self.items = OpenItems(self.model, self.readers, limits, self.uploads.check_room)
        self.copies = ScrubbingCopies(limits.sessions, limits.least_free_disk, self.model.device.is_busy)
        self.jobs = JobBook(self.projects, limits)
        self.housekeeping = Housekeeping(self.model.device, self.items, self.jobs, self.projects, self.uploads)
        self.kept_answers = KeptAnswers(settings.data / ANSWERS)
        self.workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="masklet-command")
        self._sockets: Counter[str] = Counter()
        self._lock = Lock()
        for project in self.projects.all():
            end_interrupted_jobs(project)
            end_streams(project)
            shutil.rmtree(project.folder / SPILL, ignore_errors=True)  # what a crash left
            remove_old_exports(project)
        self.importing.go_on()

    def item(self, user: str, item_id: str) -> OpenItem:
        """Return an item of a user; Problem for what is not there or somebody else's."""
        return self.items.get(self.projects.of_item(user, item_id), item_id)

    def forget_item(self, project: Project, item_id: str) -> None:
        """Drop what is held of an item that is removed."""
        self.items.forget(item_id)
        self.copies.remove(item_id, project.folder)

    def open_files(self, owner: str, paths: Sequence[Path]) -> None:
        """Make items of files of the server's own, in one project, but for those that are there from earlier."""
        found = (each for each in self.projects.of(owner) if each.message().name == OPENED)
        project = next(found, None) or self.projects.make(owner, OPENED, [])
        known = {item.media for item in project.items()}
        for path in paths:
            if os.fspath(path) not in known:
                self.importing.take_file(project, path)

    def handling(self, item: OpenItem, user: str, n: int, listener: Listener | None = None) -> Handling:
        """Return what a command of a user is answered with."""
        if self.items.session_count() > self.settings.limits.sessions:
            self.housekeeping.trim()
        return Handling(item, user, n, self.jobs, self.settings.limits, listener)

    def open_socket(self, user: str) -> None:
        """Count one more socket of a user; Problem if there are too many."""
        with self._lock:
            if self._sockets[user] >= self.settings.limits.sockets_per_user:
                most = self.settings.limits.sockets_per_user
                raise Problem(429, "too_many", f"A user has at most {most} sockets.", headers={"Retry-After": "5"})
            self._sockets[user] += 1

    def close_socket(self, user: str) -> None:
        """Count one socket less."""
        with self._lock:
            self._sockets[user] -= 1

    def metrics(self, user: str) -> Metrics:
        """Return what the server did and holds."""
        device = self.model.device
        queue = {each.name.lower(): count for each, count in device.steps.waiting().items()}
        queue["answers"] = sum(device.answers.waiting().values())
        spent = sum(device.milliseconds.values())
        return Metrics(
            model_units=dict(device.units),
            queue=queue | self.jobs.counts(),
            caches={"features": self.model.features.bytes, "sessions": self.items.session_count()},
            rss=resident_bytes(),
            share={"device": round(device.milliseconds[user] / spent, 4) if spent else 0.0},
        )

    def close(self) -> None:
        """End jobs after the step at hand, save all sessions and close all files."""
        self.housekeeping.close()
        self.importing.close()
        self.copies.close()
        self.jobs.close()
        for stream in self.items.streams():
            self.model.device.steps.run("", Urgency.PERSON, partial(end_stream, stream))
        self.model.device.steps.run("", Urgency.PERSON, self.items.save_all)
        self.workers.shutdown()
        self.model.device.close()
        self.readers.close()
        self.projects.close()
        self.kept_answers.close()


def end_interrupted_jobs(project: Project) -> None:
    """Mark the jobs that a crash ended; what they made stays, and can be undone."""
    with project.database.writing() as connection:
        rows = connection.execute("SELECT id FROM job WHERE state IN ('queued', 'running')").fetchall()
        for (job_id,) in rows:
            connection.execute("UPDATE job SET state='interrupted' WHERE id=?", (job_id,))
            runs = connection.execute("SELECT id, item FROM run WHERE job=? AND active", (job_id,)).fetchall()
            if runs:
                statements = [f"UPDATE run SET active=0 WHERE id={int(run['id'])}" for run in runs]
                record_run(connection, runs[0]["item"], "track", statements)


def end_streams(project: Project) -> None:
    """End the streams that a crash ended: what was kept of them is a video from now on."""
    for row in project.items():
        if row.is_live:
            project.change_item(row.id, **ended(project.folder / row.media if row.media else None))
