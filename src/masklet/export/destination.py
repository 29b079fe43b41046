"""Where an export is written: a folder without files in its way, or an earlier export, whose files it replaces."""

import re
from collections.abc import Collection
from pathlib import Path

from masklet.atomic_files import check_writable
from masklet.checkpoints.reading import WEIGHT_SUFFIXES
from masklet.configuration.base import CONFIG_FILE
from masklet.errors import InvalidInputError
from masklet.folders import entries
from masklet.processing.saved_settings import AUTOMATIC_MASKS_FILE, IMAGE_PROCESSOR_FILE, PROCESSOR_FILE
from masklet.runtimes.manifest import MANIFEST_FILE, Manifest
from masklet.runtimes.names import GraphName, Layout
from masklet.runtimes.opening import is_exported

_WRITTEN = {
    Layout.MASKLET: {
        *(f"{name}{suffix}" for name in GraphName for suffix in (".onnx", ".xml", ".bin")),
        *(CONFIG_FILE, PROCESSOR_FILE, AUTOMATIC_MASKS_FILE, MANIFEST_FILE),
    },
    Layout.SAMEXPORTER: set(),  # both names are of masklet alone
    Layout.TRANSFORMERSJS: {CONFIG_FILE, IMAGE_PROCESSOR_FILE},
}


def replaced_files(folder: Path, layout: Layout) -> re.Pattern[str]:
    """Return a pattern of the names of an earlier export's files in a folder, which a new one replaces.

    Raises:
        InvalidInputError: if the folder holds weights, or has other files where the new ones belong.
        CheckpointError: if the earlier export is damaged.
        OSError: if nothing can be written there.
    """
    check_writable(folder)
    earlier: Collection[str] = ()
    if layout is Layout.MASKLET and is_exported(folder):
        earlier = Manifest.read(folder).files
    elif layout is Layout.TRANSFORMERSJS and (folder / "onnx" / "vision_encoder.onnx").exists():
        earlier = _WRITTEN[layout]
    others = {path.name for path in entries(folder)} - set(earlier) if folder.is_dir() else set()
    if weights := sorted(each for each in others - _WRITTEN[Layout.MASKLET] if each.endswith(WEIGHT_SUFFIXES)):
        raise InvalidInputError(f"{folder} holds a checkpoint, {weights[0]}; give another folder.")
    if in_the_way := sorted(others & _WRITTEN[layout]):
        raise InvalidInputError(
            f"{folder / in_the_way[0]} would be replaced, and is of no earlier export; give another folder."
        )
    return re.compile("|".join(map(re.escape, earlier)))
