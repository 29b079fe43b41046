"""Names of images and videos that are safe as paths on every system, and names of categories that every file holds."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from masklet.json_files import LONGEST_NAME

_SLASHES, _DRIVE = re.compile(r"[/\\]"), re.compile("[A-Za-z]:")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*\x00-\x1f]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9\xb9\xb2\xb3])(?:\..*)?", re.IGNORECASE)
"""What Windows takes for a device, whatever suffix it has."""
_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML or YAML does not know, and halves of pairs, which no file holds."""
MOST_BYTES = LONGEST_NAME - 25
"""Of a name; a number and a suffix still fit."""
MOST_BYTES_OF_VIDEOS = MOST_BYTES // 2
"""Of the name of a video, and of that of a frame, which may become one name."""


def safe_names(names: Iterable[str], *, is_flat: bool = False, most_bytes: int = MOST_BYTES) -> list[str]:
    """Return names without suffix, of which none leads out of its folder and no two are the same.

    Names that differ in case only, or in how accents are composed, are the same on some systems.

    Args:
        names: of files, perhaps after folders, with the slashes of any system.
        is_flat: whether folders become a part of the name: `a/b` is `a-b`.
        most_bytes: of each folder and of the name.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        safe = plain = _safe(name, is_flat, most_bytes)
        number = 1
        while comparable(safe) in taken:
            number += 1
            safe = f"{plain}_{number}"
        taken.add(comparable(safe))
        found.append(safe)
    return found


def without_suffix(name: str) -> str:
    """Return the name of a file, perhaps after folders, with the slashes of any system, without its suffix."""
    folder, slash, file = name.replace("\\", "/").rpartition("/")
    return f"{folder}{slash}{PurePosixPath(file).stem}"


def frame_names(names: Iterable[str]) -> list[str]:
    """Return safe names of the frames of a video; what follows the last hyphen of `VIDEO-FRAME` is the frame's."""
    return safe_names((each.replace("-", "_") for each in names), is_flat=True, most_bytes=MOST_BYTES_OF_VIDEOS)


def legal_category(name: str) -> str:
    """Return the name of a category without characters that some file cannot hold."""
    return _ILLEGAL.sub("", name)


def comparable(name: str) -> str:
    """Return what is the same for names that are one on some file system."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _safe(name: str, is_flat: bool, most_bytes: int) -> str:
    parts = [each for each in _SLASHES.split(name) if each not in ("", "..", ".") and not _DRIVE.fullmatch(each)]
    if is_flat:
        parts = ["-".join(map(_cleaned, parts))]
    return "/".join(_shortened(_cleaned(each), most_bytes) for each in parts) or "_"


def _cleaned(name: str) -> str:
    cleaned = _NOT_IN_NAMES.sub("_", name).strip(" .") or "_"
    return f"_{cleaned}" if _DEVICES.fullmatch(cleaned) else cleaned


def _shortened(name: str, most_bytes: int) -> str:
    return name.encode("utf-8", "surrogateescape")[:most_bytes].decode("utf-8", "ignore").rstrip(" .") or "_"
