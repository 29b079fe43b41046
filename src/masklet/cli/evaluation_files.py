"""The file that the commands of `masklet evaluate` write their scores to."""

from collections.abc import Sequence
from pathlib import Path


def write_reports(path: Path, reports: Sequence[str]) -> None:
    """Write a JSON list of `reports`, each of them JSON itself."""
    from masklet.atomic_files import written_whole

    with written_whole(path) as unfinished:
        unfinished.write_text(f"[{', '.join(reports)}]\n", encoding="utf-8")
