"""The log of a training run: one line of JSON a step."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from masklet.atomic_files import written_whole
from masklet.json_files import is_finite_number
from masklet.modeling.video_network import VideoNetwork
from masklet.training.run.observer import RunOutline

STEP_LOG = "steps.jsonl"


class StepLog:
    """Writes `steps.jsonl`: `step` (from 1), `time` (UTC, ISO 8601) and the metrics; what is not finite is null.

    A resumed run drops the lines of the steps that it makes again.
    """

    def began(self, run: RunOutline) -> None:
        """Keep the lines of the steps that the run builds on."""
        self.path = run.folder / STEP_LOG
        kept = [line for line in read_steps(run.folder) if line["step"] <= run.first_step]
        with written_whole(self.path) as unfinished:
            unfinished.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Add a line, which is on disk when this returns."""
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        line = {"step": step, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **finite}
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Do nothing: every line is on disk already."""

    def finished(self) -> None:
        """Do nothing more."""


def read_steps(folder: Path) -> list[dict[str, Any]]:
    """Read the lines of a run's log, in order; none if there is no log.

    What is no line of a step is left out: the last one may have been cut short by a crash.
    """
    path = folder / STEP_LOG
    texts = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ()
    return [line for line in map(_line, texts) if _is_of_a_step(line)]


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_of_a_step(line: Any) -> bool:
    if not isinstance(line, dict) or not is_finite_number(line.get("step")) or not isinstance(line.get("time"), str):
        return False
    return all(value is None or is_finite_number(value) for name, value in line.items() if name != "time")
