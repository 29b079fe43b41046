"""Today's and the seed-era layout of `config.json`, of the released tiny model (both files shortened)."""

import json
from pathlib import Path
from typing import Any

import pytest

from masklet.configuration import Sam2Config, Sam2HieraDetConfig, preset
from masklet.configuration.older_keys import ONLY_VALUE, STILL_READ, WITHOUT_EFFECT
from masklet.errors import InvalidInputError

FOLDER = Path(__file__).parent
# Not the network: what other tools wrote down, kept as it came.
FOREIGN = {"transformers_version", "_name_or_path", "use_bfloat16", "id2label", "label2id"}
SEED_ONLY = {*WITHOUT_EFFECT, *STILL_READ, *ONLY_VALUE}


def without(values: Any, names: set[str]) -> Any:
    if not isinstance(values, dict):
        return values
    return {name: without(value, names) for name, value in values.items() if name not in names}


@pytest.mark.parametrize("file", ["current_layout.json", "seed_layout.json"])
def test_both_layouts_are_the_preset(file: str) -> None:
    loaded = Sam2Config.from_json_file(FOLDER / file)
    assert without(loaded.to_dict(), FOREIGN | SEED_ONLY) == preset("tiny").to_dict()


@pytest.mark.parametrize("file", ["current_layout.json", "seed_layout.json"])
def test_saving_writes_the_current_layout_and_keeps_unknown_keys(file: str, tmp_path: Path) -> None:
    loaded = Sam2Config.from_json_file(FOLDER / file)
    loaded.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    backbone = written["vision_config"]["backbone_config"]
    assert written["model_type"] == "sam2_video"
    assert written["transformers_version"]
    assert backbone["blocks_per_stage"] == [1, 2, 7, 2]
    assert backbone["use_bfloat16"] is False
    assert not {"stages", "window_spec", "dim_mul", "head_mul"} & set(backbone)
    assert Sam2Config.from_pretrained(tmp_path) == loaded


def test_seed_backbone_keys() -> None:
    older = Sam2HieraDetConfig(
        hidden_size=112,
        num_attention_heads=2,
        stages=[2, 3, 16, 3],
        window_spec=[8, 4, 14, 7],
        dim_mul=2.0,
        head_mul=2.0,
        image_size=512,
        patch_stride=4,
        patch_kernel_size=None,
    )
    assert older.blocks_per_stage == [2, 3, 16, 3]
    assert older.embed_dim_per_stage == [112, 224, 448, 896]
    assert older.num_attention_heads_per_stage == [2, 4, 8, 16]
    assert (older.stages, older.window_spec) == ([2, 3, 16, 3], [8, 4, 14, 7])
    assert (older.dim_mul, older.head_mul) == (2, 2)
    assert (older.image_size, older.patch_stride, older.patch_kernel_size) == (512, [4, 4], [7, 7])


def test_growth_by_other_factors() -> None:
    older = Sam2HieraDetConfig(hidden_size=64, dim_mul=1.5, head_mul=1.0, stages=[1, 1, 1], window_spec=[8, 4, 4],
                               num_query_pool_stages=2)  # fmt: skip
    assert (older.embed_dim_per_stage, older.num_attention_heads_per_stage) == ([64, 96, 144], [1, 1, 1])


def test_rope_parameters_of_newer_files() -> None:
    config = Sam2Config(rope_parameters={"rope_type": "axial", "rope_theta": 500.0})
    assert config.memory_attention_rope_theta == 500.0
    assert "rope_parameters" not in config.to_dict()


def test_version_2_0_as_the_seed_wrote_it_has_no_temporal_encoding_at_all() -> None:
    seed = Sam2Config(
        enable_occlusion_spatial_embedding=False,
        enable_temporal_pos_encoding_for_object_pointers=True,
        project_temporal_pos_encoding_in_object_pointers=False,
    )
    assert seed == preset("tiny", "2.0")


def test_an_older_option_that_no_released_model_uses_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"fuse_type='average' is not supported.*'sum'"):
        Sam2Config(vision_config={"fuse_type": "average"})


@pytest.mark.parametrize("file", ["current_layout.json", "seed_layout.json"])
def test_every_key_of_both_layouts_is_known_by_name(file: str) -> None:
    values = json.loads((FOLDER / file).read_text())
    backbone = values["vision_config"]["backbone_config"]
    not_keys = FOREIGN | {"model_type"}
    assert [name for name in values if not Sam2Config.knows(name)] == [name for name in values if name in not_keys]
    assert all(Sam2HieraDetConfig.knows(name) for name in backbone if name not in not_keys)
    assert not Sam2Config.knows("image_sze")
