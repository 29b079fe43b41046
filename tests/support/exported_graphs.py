"""Exports that record nothing, but copy the graphs of the tests' one export; and manifests with other values."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from masklet.export import folder as export_folder
from masklet.export.graphs import Graph
from masklet.json_files import CHECKSUM, checksum_of
from masklet.runtimes.manifest import MANIFEST_FILE


def copy_graphs_of(graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exports of this test take their ONNX files from an exported folder."""

    def copy(graph: Graph, axes: Any, inputs: Any, path: Path) -> None:
        shutil.copyfile(graphs / path.name, path)

    monkeypatch.setattr(export_folder, "write_onnx", copy)


def write_manifest(folder: Path, values: Mapping[str, Any]) -> None:
    """Write these values with the checksum that belongs to them, so that they themselves are looked at."""
    content = {name: value for name, value in values.items() if name != CHECKSUM}
    signed = {**content, CHECKSUM: checksum_of(content)}
    (folder / MANIFEST_FILE).write_text(json.dumps(signed), encoding="utf-8")
