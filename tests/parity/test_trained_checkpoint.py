"""transformers reads what training writes."""

from pathlib import Path

import pytest
import torch
from tests.unit.training.small_recipes import small_recipe
from transformers import Sam2VideoModel as ReferenceModel

from masklet.training.network import initial_network
from masklet.training.run_state import AVERAGE_FOLDER


@pytest.mark.filterwarnings("ignore")  # transformers' own
def test_transformers_loads_a_trained_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = initial_network(small_recipe(tmp_path), 96)
    network.save_pretrained(tmp_path / AVERAGE_FOLDER)
    reference, report = ReferenceModel.from_pretrained(tmp_path / AVERAGE_FOLDER, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert not report["mismatched_keys"]
    theirs = reference.state_dict()
    for name in ("memory_attention.layers.0.linear1.weight", "mask_decoder.conv_s0.weight"):
        torch.testing.assert_close(theirs[name], network.state_dict()[name], rtol=0, atol=0)
