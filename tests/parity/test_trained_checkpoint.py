"""transformers reads what training writes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.support.small_recipes import small_recipe

from masklet.configuration import Sam2Config
from masklet.training.network.building import initial_network


@pytest.mark.filterwarnings("ignore")  # transformers' own
def test_transformers_loads_a_trained_network(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    recipe = small_recipe(tmp_path)
    # transformers builds its memory attention for the released models' 64 channels, whatever the configuration says.
    model = Sam2Config.from_dict(recipe.model.to_dict(), memory_encoder_output_channels=64)
    torch.manual_seed(0)
    network = initial_network(replace(recipe, model=model), 96)
    network.save_pretrained(tmp_path)
    reference, report = transformers.Sam2VideoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    theirs = reference.state_dict()
    for name in ("memory_attention.layers.0.linear1.weight", "mask_decoder.conv_s0.weight"):
        assert torch.equal(theirs[name], network.state_dict()[name])
