"""Which networks are named as such that other programs cannot run; tests/parity asks these programs themselves."""

import warnings

import pytest
from tests.support.small_models import small_model

from masklet import Sam2Config, Sam2HieraDetModel, Sam2Model
from masklet.checkpoints.other_programs import Program, has_memory, obstacles, what_others_lack, why_not_run
from masklet.configuration.presets import SIZES, VERSIONS, preset
from masklet.errors import OtherProgramWarning


def as_released(**backbone):
    config = preset("tiny").to_dict()
    config["vision_config"]["backbone_config"] |= backbone
    return Sam2Config.from_dict(config)


@pytest.mark.parametrize("program", Program)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("version", VERSIONS)
def test_released_models_run_everywhere_at_every_size(program, size, version):
    config = preset(size, version)
    for image_size in (32, 512, 1024, 8192):
        config.set_image_size(image_size)
        assert why_not_run(program, config, with_memory=True) is None
    assert what_others_lack(config) is None


def test_all_that_keeps_the_bundled_model_from_running():
    config = Sam2Config.from_pretrained(None)
    block = "global attention in block 11, which opens a stage and pools its queries"
    assert obstacles(Program.TRANSFORMERS, config, with_memory=True) == [block]
    assert obstacles(Program.META, config, with_memory=True) == [
        block,
        "embed_dim_per_stage=[48, 96, 192, 320], which do not grow by one factor, as doubling would be",
        "num_attention_heads_per_stage=[1, 2, 4, 5], which do not grow by one factor, as doubling would be",
        "mask_decoder_config.mlp_dim=512, always 2048 there",
        "mask_decoder_config.iou_head_hidden_dim=128, always 256 there",
    ]
    assert "draws_boxes" in what_others_lack(config)
    assert "binarize_mask_from_pts_for_mem_enc=false" in what_others_lack(config)


@pytest.mark.parametrize(
    ("fields", "block"),
    [
        ({"global_attention_blocks": [0, 5, 9]}, None),
        ({"global_attention_blocks": [1]}, 1),
        ({"global_attention_blocks": [5, 10, 3]}, 3),
        ({"global_attention_blocks": [10], "num_query_pool_stages": 2}, None),
        ({"global_attention_blocks": [3], "num_query_pool_stages": 2}, 3),
    ],
)
def test_blocks_that_pool_queries_need_windows(fields, block):
    found = obstacles(Program.TRANSFORMERS, as_released(**fields), with_memory=True)
    assert bool(found) == (block is not None)
    assert block is None or f"block {block}, " in found[0]


def test_windows_have_to_fit_at_the_image_size():
    config = as_released(window_size_per_stage=[14, 4, 14, 7])
    config.set_image_size(448)
    assert not obstacles(Program.TRANSFORMERS, config, with_memory=True)
    config.set_image_size(512)
    expected = "image_size=512, whose 128 tokens in a row are not whole windows of 14"
    assert obstacles(Program.TRANSFORMERS, config, with_memory=True) == [expected]


def test_the_memory_matters_where_there_is_one():
    config = preset("tiny")
    config.memory_encoder_output_channels = 32
    assert not obstacles(Program.TRANSFORMERS, config, with_memory=False)
    assert "memory_encoder_output_channels=32" in why_not_run(Program.TRANSFORMERS, config, with_memory=True)
    assert not obstacles(Program.META, config, with_memory=True)
    assert "no video part" in why_not_run(Program.META, config, with_memory=False)
    assert not has_memory(Sam2Model(small_model().config).state_dict())


def test_saving_parts_of_a_network_warns_too(tmp_path):
    network = small_model()  # its block 6 opens the last stage and attends globally
    reason = "transformers cannot run this network: global attention in block 6, which opens a stage"
    for part in (network, network.vision_encoder, network.vision_encoder.backbone):
        with pytest.warns(OtherProgramWarning, match=reason) as caught:
            part.save_pretrained(tmp_path / type(part).__name__)
        assert [each.filename for each in caught] == [__file__]
    config = network.config.vision_config.backbone_config
    config.global_attention_blocks = [4]
    with warnings.catch_warnings():
        warnings.simplefilter("error", OtherProgramWarning)
        Sam2HieraDetModel(config).save_pretrained(tmp_path / "quiet")
