"""masklet's classes under transformers' Auto classes, once they are registered there."""

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from tests.support.small_models import random_pixels, small_config

import masklet

transformers = pytest.importorskip("transformers", reason="make test installs it")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


class MaskletConfig(masklet.Sam2Config):
    model_type: ClassVar[str] = "masklet_test"


class MaskletModel(masklet.Sam2Model):
    config_class = MaskletConfig


class MaskletProcessor(masklet.Sam2Processor):
    """Under a name of its own: AutoProcessor looks among transformers' classes first."""


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    transformers.AutoConfig.register("masklet_test", MaskletConfig)
    transformers.AutoModel.register(MaskletConfig, MaskletModel)
    transformers.AutoProcessor.register(MaskletConfig, MaskletProcessor)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registered")
    torch.manual_seed(0)
    MaskletModel(MaskletConfig(**small_config().to_dict())).save_pretrained(folder)
    MaskletProcessor(size=96).save_pretrained(folder)
    return folder


def test_model_from_a_configuration() -> None:
    config = MaskletConfig(**small_config().to_dict())
    model = transformers.AutoModel.from_config(config, dtype=torch.bfloat16)
    assert type(model) is MaskletModel
    assert model.dtype == torch.bfloat16


def test_configuration_model_and_processor_from_a_folder(folder: Path) -> None:
    config = transformers.AutoConfig.from_pretrained(folder, num_maskmem=3)
    assert (type(config), config.num_maskmem) == (MaskletConfig, 3)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, device_map="cpu")
    assert type(model) is MaskletModel
    expected = MaskletModel.from_pretrained(folder)
    with torch.no_grad():
        assert torch.equal(model(random_pixels()).pred_masks, expected(random_pixels()).pred_masks)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    assert type(processor) is MaskletProcessor
    assert processor.target_size == 96
    assert "_from_auto" not in processor.to_json_string()
