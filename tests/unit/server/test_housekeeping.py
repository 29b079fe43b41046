"""Work from time to time."""

from threading import Semaphore
from typing import Any, cast

import pytest

from masklet.server.housekeeping import Housekeeping


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
