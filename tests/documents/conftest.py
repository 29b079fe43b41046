"""A folder as a reader of the documents has it, and stand-ins for what the examples download."""

import io
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from masklet import sources

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def graphs_folder(readers_folder: Path, exported_model: tuple[Path, Path]) -> Path:
    """Where `docs/export.md` exports to: graphs of a small random model, as the bundled one's take minutes."""
    graphs = readers_folder / "graphs"
    graphs.symlink_to(exported_model[1])
    return graphs


@pytest.fixture
def readers_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: the repository's assets, and nothing else.

    Every checkpoint that an example names is the bundled model, every image from the web an image of the assets.
    """
    shutil.copytree(ROOT / "assets", tmp_path / "assets")
    monkeypatch.chdir(tmp_path)
    open_source = sources._open_source

    def open_source_or_bundled(source: sources.Source, location: sources.Location) -> object:
        is_there = source is not None and Path(source).exists()
        return open_source(source if is_there else None, location)

    monkeypatch.setattr(sources, "_open_source", open_source_or_bundled)
    requests = ModuleType("requests")
    requests.get = lambda url, stream: SimpleNamespace(raw=io.BytesIO(Path("assets/truck.jpg").read_bytes()))
    monkeypatch.setitem(sys.modules, "requests", requests)
    return tmp_path
