"""Work from time to time."""

import os
from threading import Semaphore
from types import SimpleNamespace
from typing import Any, cast

import pytest

from masklet.server import exporting, scrubbing
from masklet.server.housekeeping import Housekeeping
from masklet.server.projects import Project, Projects


def test_a_fault_stops_it_for_once_only(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    begun = Semaphore(0)

    def tidy(self: Housekeeping) -> None:
        begun.release()
        raise ValueError("an odd name in the trash")

    monkeypatch.setattr("masklet.server.housekeeping._SECONDS", 0.001)
    monkeypatch.setattr(Housekeeping, "tidy", tidy)
    nothing = cast(Any, None)
    housekeeping = Housekeeping(nothing, nothing, nothing, nothing, nothing)
    assert all(begun.acquire(timeout=20) for _ in range(2))
    housekeeping.close()
    assert "an odd name in the trash" in caplog.text


def test_what_nobody_used_for_long_goes(projects: Projects, project: Project) -> None:
    old = [project.folder / exporting.EXPORTS / "a.zip", project.folder / scrubbing.FOLDER / "itm_1.mp4"]
    for path in old:
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (0, 0))
    nothing = cast(Any, SimpleNamespace(submit=lambda *of: None, remove_old=lambda: None))
    nothing.steps = nothing
    housekeeping = Housekeeping(nothing, nothing, nothing, projects, nothing)
    housekeeping.tidy()
    housekeeping.close()
    assert [path for path in old if path.exists()] == []
