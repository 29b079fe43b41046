"""What is done from time to time, whether anybody asks for something or not."""

import ctypes
import logging
import sys
from contextlib import suppress
from threading import Event, Lock, Thread

from masklet.server.exporting import remove_old_exports
from masklet.server.fairness import Urgency
from masklet.server.jobs import JobBook
from masklet.server.live_feed import end_stream
from masklet.server.open_items import OpenItems
from masklet.server.problems import Problem
from masklet.server.projects import Projects
from masklet.server.scheduler import Device
from masklet.server.scrubbing import remove_old_copies
from masklet.server.uploads import Uploads

_SECONDS = 60.0
NOBODY = ""
"""The user that such work is charged to."""


class Housekeeping:
    """Unloads what nobody uses, and deletes what was kept long enough.

    Args:
        device: in whose lane sessions are unloaded.
        items: those that are open.
        jobs: whose items stay.
        projects: of exports, copies and the trash.
        uploads: of which old ones go.
    """

    def __init__(self, device: Device, items: OpenItems, jobs: JobBook, projects: Projects, uploads: Uploads) -> None:
        self._device, self._items, self._jobs = device, items, jobs
        self._projects, self._uploads = projects, uploads
        self._lock, self._closing = Lock(), Event()
        self._is_trimming = False
        self._thread = Thread(target=self._work, name="masklet-housekeeping", daemon=True)
        self._thread.start()

    def trim(self) -> None:
        """Let sessions go that are too many or idle, soon; nothing if that waits already."""
        with self._lock:
            if self._is_trimming:
                return
            self._is_trimming = True
        try:
            self._device.steps.submit(NOBODY, Urgency.BACKGROUND, self._trim)
        except Problem:  # the lane is full, or closed
            self._is_trimming = False

    def tidy(self) -> None:
        """Do all of it."""
        self.trim()
        self._projects.empty_trash()
        self._uploads.remove_old()
        for project in self._projects.all():
            remove_old_exports(project)
            remove_old_copies(project.folder)
        give_back_memory()

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._closing.wait(_SECONDS):
            try:
                self.tidy()
            except Exception as error:  # it has to go on; folders that are being removed end it for a minute
                logging.getLogger("masklet.server").warning("housekeeping stopped: %s", error)

    def _trim(self) -> None:
        self._is_trimming = False
        self._items.trim(self._jobs.busy_items())
        for stream in self._items.streams(idle=True):
            end_stream(stream)


def give_back_memory() -> None:
    """Return what the C library keeps for later to the system, where it can be asked to."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # a C library other than GNU's
            ctypes.CDLL(None).malloc_trim(0)
