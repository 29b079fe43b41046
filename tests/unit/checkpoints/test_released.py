import pytest
import torch
from tests.support.tensor_names import small_meta_tensors

from masklet.checkpoints.layouts import in_current_layout
from masklet.checkpoints.released import RELEASED, config_by_shapes
from masklet.configuration import preset
from masklet.errors import CheckpointError

ALL_EIGHT = {
    "facebook/sam2-hiera-tiny": "sam2_hiera_tiny.pt",
    "facebook/sam2-hiera-small": "sam2_hiera_small.pt",
    "facebook/sam2-hiera-base-plus": "sam2_hiera_base_plus.pt",
    "facebook/sam2-hiera-large": "sam2_hiera_large.pt",
    "facebook/sam2.1-hiera-tiny": "sam2.1_hiera_tiny.pt",
    "facebook/sam2.1-hiera-small": "sam2.1_hiera_small.pt",
    "facebook/sam2.1-hiera-base-plus": "sam2.1_hiera_base_plus.pt",
    "facebook/sam2.1-hiera-large": "sam2.1_hiera_large.pt",
}


def tensors_of(width: int, depth: int, version: str) -> dict[str, torch.Tensor]:
    blocks = {f"vision_encoder.backbone.blocks.{block}.layer_norm1.weight": torch.ones(1) for block in range(depth)}
    tensors = {
        "vision_encoder.backbone.pos_embed": torch.zeros(1, width, 7, 7),
        "memory_encoder.x": torch.ones(1),
        **blocks,
    }
    if version == "2.1":
        tensors["occlusion_spatial_embedding_parameter"] = torch.zeros(1, 64)
    return tensors


def test_names_of_the_eight_models():
    assert {model.hub_id: model.meta_file for model in RELEASED} == ALL_EIGHT


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize(
    ("size", "width", "depth"), [("tiny", 96, 12), ("small", 96, 16), ("base_plus", 112, 24), ("large", 144, 48)]
)
def test_shapes_show_which_model_it_is(size, width, depth, version):
    assert config_by_shapes(tensors_of(width, depth, version)) == preset(size, version)


def test_the_recorded_tiny_tensors_are_tiny():
    tensors = in_current_layout(small_meta_tensors())
    assert config_by_shapes(tensors) == preset("tiny", "2.1")
    image_only = {name: tensor for name, tensor in tensors.items() if name.startswith("vision_encoder.")}
    assert config_by_shapes(image_only) == preset("tiny", "2.1")


@pytest.mark.parametrize(("width", "depth"), [(96, 13), (100, 12)])
def test_other_shapes_are_an_error_that_lists_the_known_ones(width, depth):
    with pytest.raises(
        CheckpointError, match=rf"{width} wide and {depth} blocks.*96 x 12, 96 x 16, 112 x 24, 144 x 48"
    ):
        config_by_shapes(tensors_of(width, depth, "2.1"))


def test_tensors_of_something_else_are_an_error():
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        config_by_shapes({"bert.weight": torch.zeros(3)})
