"""Every entry of masklet: a file for those that are alike, and this list of them."""

import importlib
import os
import pkgutil
import tempfile
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.entries import (
    automatic_masks,
    batches,
    calls,
    command_line,
    configurations,
    conversions,
    datasets,
    exported_folders,
    images,
    kept_results,
    prompt_file,
    sessions,
    videos,
    weights,
)

import masklet

ENTRIES: dict[str, Entry] = {
    **configurations.ENTRIES,
    **weights.ENTRIES,
    **images.ENTRIES,
    **videos.ENTRIES,
    **calls.ENTRIES,
    **automatic_masks.ENTRIES,
    **prompt_file.ENTRIES,
    **batches.ENTRIES,
    **datasets.ENTRIES,
    **exported_folders.ENTRIES,
    **conversions.ENTRIES,
    **sessions.ENTRIES,
    **kept_results.ENTRIES,
    **command_line.ENTRIES,
}


def prepare(names: Iterable[str]) -> None:
    """Make what valid inputs are made of, and import what they are used with, before processes are forked for them.

    Files are made in a process of their own: video codecs start threads, and a fork copies what these hold locked.
    """
    materials.without_threads()
    materials.folder()
    if (process := os.fork()) == 0:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            for number, name in enumerate(sorted(names)):
                (Path(folder) / str(number)).mkdir()
                ENTRIES[name].make(Path(folder) / str(number))
        os._exit(0)
    if os.waitpid(process, 0)[1]:
        raise RuntimeError("The valid inputs could not be made.")
    for module in pkgutil.walk_packages(masklet.__path__, "masklet."):
        importlib.import_module(module.name)
    materials.encoded()
    materials.tracker()
