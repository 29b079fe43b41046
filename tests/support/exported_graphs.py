"""Exports that record nothing: the graphs that the tests' one export wrote are copied."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from masklet.export import folder as export_folder
from masklet.export.graphs import Graph


def copy_graphs_of(graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exports of this test take their ONNX files from an exported folder."""

    def copy(graph: Graph, axes: Any, inputs: Any, path: Path) -> None:
        shutil.copyfile(graphs / path.name, path)

    monkeypatch.setattr(export_folder, "write_onnx", copy)
