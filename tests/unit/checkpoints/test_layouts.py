import re

import pytest
import torch
from tests.support.tensor_names import assert_same_tensors, small_meta_tensors, tiny_tensor_names

from masklet.checkpoints.layouts import LAYOUTS, in_current_layout, layout_named, layout_of
from masklet.checkpoints.layouts.current import CURRENT, POSITIONAL_EMBEDDING, VIDEO_ONLY_PATTERNS
from masklet.checkpoints.layouts.meta import META
from masklet.checkpoints.layouts.seed import SEED, config_in_seed_layout
from masklet.configuration import Sam2Config, preset
from masklet.errors import CheckpointError, InvalidInputError

POINTS = "prompt_encoder.point_embed.weight"


def expected_names(column: str) -> set[str]:
    return {getattr(row, column) for row in tiny_tensor_names()} | {POSITIONAL_EMBEDDING.copy}


def test_meta_names_become_exactly_the_recorded_current_names():
    meta = small_meta_tensors()
    current = in_current_layout(meta)
    assert len(meta) == 471
    assert len(current) == 469
    assert set(current) == expected_names("current")
    for row in tiny_tensor_names():
        if row.current != POINTS:
            assert torch.equal(current[row.current], meta[row.meta]), row


def test_current_names_become_exactly_the_recorded_seed_names():
    meta = small_meta_tensors()
    seed = SEED.from_current(in_current_layout(meta))
    assert len(seed) == 472
    assert set(seed) == expected_names("seed")
    for row in tiny_tensor_names():
        assert torch.equal(seed[row.seed], meta[row.meta]), row


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_layout_round_trips_and_is_recognised(layout):
    current = in_current_layout(small_meta_tensors())
    foreign = layout.from_current(current)
    assert layout_of(foreign) is layout
    assert_same_tensors(in_current_layout(foreign), current)


def test_point_embeddings_are_stacked_by_their_numbers_whatever_their_order():
    rows = {
        f"prompt_encoder.point_embed.{n}.weight": torch.full((1, 3), float(n)) for n in (10, 2, 0, 1, *range(3, 10))
    }
    stacked = SEED.to_current(rows)[POINTS]
    assert stacked[:, 0].tolist() == list(range(11))


def test_a_gap_in_the_point_embeddings_is_an_error():
    with pytest.raises(CheckpointError, match=r"\[0, 2\]"):
        SEED.to_current({f"prompt_encoder.point_embed.{n}.weight": torch.zeros(1, 3) for n in (0, 2)})


def test_image_part_has_309_tensors():
    current = in_current_layout(small_meta_tensors())
    image = [name for name in current if not any(re.match(pattern, name) for pattern in VIDEO_ONLY_PATTERNS)]
    assert len(image) == 309
    assert "no_memory_embedding" in image


@pytest.mark.parametrize("left_out", [POSITIONAL_EMBEDDING.original, POSITIONAL_EMBEDDING.copy])
@pytest.mark.parametrize("layout", [SEED, CURRENT], ids=lambda layout: layout.name)
def test_a_positional_embedding_that_a_writer_left_out_is_filled_in(layout, left_out):
    current = in_current_layout(small_meta_tensors())
    foreign = layout.from_current(current)
    del foreign[left_out]
    assert_same_tensors(in_current_layout(foreign), current)


def test_positional_embeddings_that_differ_are_kept_apart_where_the_layout_has_both():
    current = in_current_layout(small_meta_tensors())
    current[POSITIONAL_EMBEDDING.copy] = current[POSITIONAL_EMBEDDING.copy] + 1
    assert_same_tensors(in_current_layout(CURRENT.from_current(current)), current)
    with pytest.raises(CheckpointError, match="differ here; the layout to write has one table for both"):
        META.from_current(current)


def test_names_that_no_table_knows_stay():
    assert list(META.to_current({"head.weight": torch.zeros(1), "mask_downsample.bias": torch.zeros(1)})) == [
        "head.weight",
        "mask_downsample.bias",
    ]


def test_unknown_layout_name():
    with pytest.raises(InvalidInputError, match="meta, seed, current"):
        layout_named("onnx")


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("size", ["tiny", "small", "base_plus", "large"])
def test_seed_configuration_reads_back_equal(size, version):
    config = preset(size, version)
    values = config_in_seed_layout(config.to_dict())
    backbone = values["vision_config"]["backbone_config"]
    assert values["model_type"] == "sam2"
    assert backbone["stages"] == config.vision_config.backbone_config.blocks_per_stage
    assert (backbone["dim_mul"], backbone["head_mul"], backbone["patch_stride"]) == (2.0, 2.0, 4)
    assert not {"blocks_per_stage", "embed_dim_per_stage", "mlp_ratio"} & set(backbone)
    assert Sam2Config.from_dict(values) == config


def test_a_configuration_that_the_seed_era_cannot_express_is_an_error():
    config = preset("tiny").to_dict()
    config["vision_config"]["backbone_config"]["embed_dim_per_stage"] = [96, 192, 400, 768]
    with pytest.raises(CheckpointError, match="embed_dim_per_stage"):
        config_in_seed_layout(config)
    config = preset("tiny").to_dict()
    config["vision_config"]["backbone_config"]["mlp_ratio"] = 3.0
    with pytest.raises(CheckpointError, match="mlp_ratio"):
        config_in_seed_layout(config)
