"""Names of images and videos that are safe as paths on every system, and differ from each other."""

import re
from collections.abc import Iterable
from pathlib import PureWindowsPath

from masklet.json_files import LONGEST_NAME

_NOT_IN_NAMES = re.compile(r'[<>:"|?*\x00-\x1f]')
_MOST_BYTES = LONGEST_NAME - 25  # a number and a suffix still fit


def safe_names(names: Iterable[str], *, is_flat: bool = False) -> list[str]:
    """Return names without suffix, of which none leads out of its folder and no two are the same, not even in case.

    Args:
        names: of files, perhaps after folders, with the slashes of any system.
        is_flat: whether folders become a part of the name: `a/b` is `a-b`.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        safe = plain = _safe(name, "-" if is_flat else "/")
        number = 1
        while safe.casefold() in taken:
            number += 1
            safe = f"{plain}-{number}"
        taken.add(safe.casefold())
        found.append(safe)
    return found


def _safe(name: str, between: str) -> str:
    path = PureWindowsPath(name)  # which knows both kinds of slashes
    parts = [each for each in path.parts if each not in (path.anchor, "..", ".")]
    cleaned = [_NOT_IN_NAMES.sub("_", each).strip(" .") or "_" for each in parts]
    return between.join(_shortened(each) for each in cleaned) or "_"


def _shortened(name: str) -> str:
    return name.encode("utf-8", "surrogateescape")[:_MOST_BYTES].decode("utf-8", "ignore")
