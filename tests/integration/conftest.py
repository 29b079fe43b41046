"""What the tests of programs share."""

from pathlib import Path

import pytest
import torch
from tests.support.both_imports import save_checkpoint

from masklet import Sam2Model, Sam2Processor
from masklet.training.recipes.compact import compact_model


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random network in transformers' layout, with its processor. Not to be changed."""
    pytest.importorskip("transformers", reason="make test installs it")
    folder = tmp_path_factory.mktemp("hub") / "sam2"
    save_checkpoint(folder)
    return folder


@pytest.fixture(scope="session")
def compact_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compact model of random weights for images of 128 pixels, with its processor. Not to be changed."""
    folder = tmp_path_factory.mktemp("checkpoints") / "compact"
    torch.manual_seed(0)
    Sam2Model(compact_model(128)).save_pretrained(folder)
    Sam2Processor(size={"height": 128, "width": 128}).save_pretrained(folder)
    return folder
