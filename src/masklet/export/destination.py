"""Where an export is written: a folder without files in its way, or an earlier export, whose files it replaces."""

import re
from pathlib import Path

from masklet.atomic_files import check_writable
from masklet.checkpoints.reading import WEIGHT_SUFFIXES
from masklet.configuration.base import CONFIG_FILE
from masklet.errors import InvalidInputError
from masklet.export.onnx_files import is_written_here
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
    Layout.TRANSFORMERSJS: {
        *("onnx/vision_encoder.onnx", "onnx/prompt_encoder_mask_decoder.onnx"),
        *(CONFIG_FILE, IMAGE_PROCESSOR_FILE),
    },
}


def replaced_files(folder: Path, layout: Layout) -> re.Pattern[str]:
    """Return a pattern of the names of an earlier export's files in a folder, which go when a new one is complete.

    Raises:
        InvalidInputError: if the folder holds weights, or has other files where the new ones belong.
        CheckpointError: if the earlier export is damaged.
        OSError: if nothing can be written there.
    """
    check_writable(folder)
    earlier = _earlier_files(folder, layout)
    names = {path.name for path in entries(folder)} if folder.is_dir() else set()
    known = earlier | _WRITTEN[Layout.MASKLET]
    if weights := sorted(each for each in names - known if each.endswith(WEIGHT_SUFFIXES)):
        raise InvalidInputError(f"{folder} holds a checkpoint, {weights[0]}; give another folder.")
    if in_the_way := sorted(each for each in _WRITTEN[layout] - earlier if (folder / each).exists()):
        raise InvalidInputError(
            f"{folder / in_the_way[0]} would be replaced, and is of no earlier export; give another folder."
        )
    gone = earlier if layout is Layout.MASKLET else ()  # other layouts write each of their files anew
    return re.compile("|".join(map(re.escape, gone)))


def _earlier_files(folder: Path, layout: Layout) -> set[str]:
    """Return what an earlier export wrote: files of its manifest, or, without one, those beside graphs of masklet."""
    if layout is Layout.MASKLET:
        return set(Manifest.files_in(folder)) if is_exported(folder) else set()
    graphs = [path for name in _WRITTEN[layout] if (path := folder / name).suffix == ".onnx" and path.exists()]
    return _WRITTEN[layout] if graphs and all(map(is_written_here, graphs)) else set()
