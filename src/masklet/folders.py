"""What a folder holds, as people mean it: hidden and system files and folders are as if they were not there."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SYSTEM_NAMES = frozenset(
    {
        # macOS: copies of attributes in archives, folder icons
        "__macosx",
        "icon\r",
        # Windows
        "thumbs.db",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "desktop.ini",
        "$recycle.bin",
        "system volume information",
        # storage servers of Synology and QNAP: thumbnails, deleted files, snapshots
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "#recycle",
        "#snapshot",
        # Linux file systems, Python
        "lost+found",
        "__pycache__",
    }
)
"""In lower case; file systems of macOS and Windows do not keep cases apart."""
STREAM_SUFFIX = ":zone.identifier"
"""Where a file was downloaded from, which Windows keeps beside it and copies to other systems as a file."""


def is_system_entry(name: str) -> bool:
    """Return whether a file or folder of this name is hidden (`.DS_Store`, `._a.jpg`) or a system's own (`@eaDir`)."""
    lower = name.lower()
    return name.startswith(".") or lower in SYSTEM_NAMES or lower.endswith(STREAM_SUFFIX)


def entries(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the files and folders directly in `folder`, sorted.

    Raises:
        OSError: if there is no such folder or it cannot be read.
    """
    return sorted(path for path in Path(folder).iterdir() if not is_system_entry(path.name))


def folders_in(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the folders directly in `folder`, sorted; empty if there is no such folder, OSError as from `entries`."""
    return [path for path in entries(folder) if path.is_dir()] if os.path.isdir(folder) else []


def matching(folder: str | os.PathLike[str], pattern: str) -> list[Path]:
    """Return what in and below `folder` matches a pattern of `Path.glob` (`*.json`, `sa_*`, `**/*.png`), sorted.

    What lies in a hidden or system folder below `folder` is left out, too. Empty if there is no such folder.
    """
    root = Path(folder)
    found = (path for path in root.glob(pattern) if not any(map(is_system_entry, path.relative_to(root).parts)))
    return sorted(found)


def bytes_of(folder: str | os.PathLike[str], pattern: str) -> int:
    """Return how many bytes the files have that match, as `matching`; what is removed meanwhile has none."""
    return sum(status.st_size for _, status in _files(folder, pattern))


def unchanged_for(folder: str | os.PathLike[str], pattern: str, seconds: float) -> list[Path]:
    """Return the files that match, as `matching`, and were changed longer ago; without what is removed meanwhile."""
    since = time.time() - seconds
    return [path for path, status in _files(folder, pattern) if status.st_mtime < since]


def _files(folder: str | os.PathLike[str], pattern: str) -> Iterator[tuple[Path, os.stat_result]]:
    for path in matching(folder, pattern):
        with suppress(FileNotFoundError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                yield path, status
