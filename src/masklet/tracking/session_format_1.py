"""The files of sessions that an earlier version saved: all compact masks in the JSON, and no checksums."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.tracking.saved_tensors import Tensors
from masklet.tracking.session_description import SessionDescription
from masklet.tracking.session_history import ARCHIVED, RESULTS, History

_NAME = re.compile(r"memories-[0-9a-f]{32}")


def read_format_1(folder: Path, content: Mapping[str, Any], description: SessionDescription) -> tuple[Tensors, History]:
    """Return the tensors and the history of a session, as those of today are; the values of the history are unchecked.

    Args:
        folder: where the session is.
        content: all of its JSON.
        description: what of that is checked.

    Raises:
        InvalidInputError, LookupError, TypeError, ValueError: for content that is none of a session.
    """
    name = content.get("memories")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInputError(f"memories must be the name of a tensor file; got {shown(name)}.")
    history: dict[tuple[int, str], dict[int, Any]] = {}
    for index, (described, entry) in enumerate(zip(description.objects, content["objects"], strict=True)):
        history[described.object_id, RESULTS] = dict(entry["results"])
        history[described.object_id, ARCHIVED] = {
            frame: [reverse, folder / f"{name}-{index}-{frame}.safetensors"] for frame, reverse in entry["archived"]
        }
    return load_file(existing_file(folder / f"{name}.safetensors")), history


def existing_file(path: Path) -> Path:
    """Return `path`; InvalidInputError if it is no file."""
    if not path.is_file():
        raise InvalidInputError(f"{path} is missing.")
    return path
