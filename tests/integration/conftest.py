"""What the tests of programs share."""

from pathlib import Path

import pytest
from tests.support.both_imports import save_checkpoint


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random network in transformers' layout, with its processor. Not to be changed."""
    pytest.importorskip("transformers", reason="make test installs it")
    folder = tmp_path_factory.mktemp("hub") / "sam2"
    save_checkpoint(folder)
    return folder
