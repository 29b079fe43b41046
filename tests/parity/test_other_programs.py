"""What masklet saves runs in transformers, and what it converts in Meta's sam2: wherever it says nothing else."""

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.parity.agreement import assert_agrees, relative_difference
from tests.parity.conftest import INSTALL
from tests.parity.meta_program import SMALL_2_0, TINY, meta_image_model, meta_predictor, overrides_of
from tests.parity.prompts import COMMON_KINDS, Prompts, for_meta
from tests.parity.trackers import Masklet, Meta, Transformers, store_memories_in_float32
from torch import Tensor

from masklet import Sam2Config, Sam2Model, Sam2VideoModel
from masklet.checkpoints.conversion import convert
from masklet.checkpoints.other_programs import Program, obstacles, why_not_run
from masklet.configuration import Sam2HieraDetConfig, preset
from masklet.errors import OtherProgramWarning

SIZE, WIDTH = 128, 128
# Added to the logits of the object scores: random weights would say that hardly anything is there.
PRESENCE = 8.0

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning")


@pytest.fixture(autouse=True)
def _references() -> Iterator[None]:
    """Both programs are there, and do not print at length what they miss in the files."""
    pytest.importorskip("transformers", reason=INSTALL)
    pytest.importorskip("sam2", reason=INSTALL)
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def random_network(config: Sam2Config) -> Sam2VideoModel:
    from benchmarks.references.random_weights import randomise

    network = Sam2VideoModel(config).eval()
    randomise(network)
    network.mask_decoder.pred_obj_score_head.proj_out.bias.data += PRESENCE
    return network


def save_quietly(network: Sam2VideoModel, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", OtherProgramWarning)
        network.save_pretrained(folder)


def images() -> Tensor:
    return torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def meta_masks(model: Any, prompts: Prompts) -> Tensor:
    return torch.stack(
        [model.segment(model.encode(images()[n : n + 1]), **for_meta(prompts, n))[0] for n in range(len(images()))]
    )


@pytest.mark.parametrize(("size", "version", "configuration"), [("tiny", "2.1", TINY), ("small", "2.0", SMALL_2_0)])
def test_networks_of_released_proportions_run_in_both_programs(
    size: str, version: str, configuration: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.models.sam2.modeling_sam2 import Sam2Model as TransformersSam2Model
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel as TransformersSam2VideoModel

    config = preset(size, version)
    config.set_image_size(SIZE)
    save_quietly(random_network(config), tmp_path / "folder")
    assert convert(tmp_path / "folder", tmp_path / "meta.pt", "meta") is None

    ours = Sam2Model.from_pretrained(tmp_path / "folder")
    theirs = TransformersSam2Model.from_pretrained(tmp_path / "folder").eval()
    predictor = meta_predictor(tmp_path / "meta.pt", configuration, {"image_size": SIZE})
    metas = meta_image_model(predictor)
    for kind in ("one click", "positive and negative clicks", "box", "box and clicks", "mask", "mask and clicks"):
        prompts = COMMON_KINDS[kind](SIZE)
        masks = ours(images(), **prompts).pred_masks
        assert_agrees(masks, theirs(images(), **prompts).pred_masks, f"transformers, {kind}")
        assert_agrees(masks, meta_masks(metas, prompts), f"Meta, {kind}")

    store_memories_in_float32(monkeypatch)
    frames = images()[:1] + 0.7 * torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    others = TransformersSam2VideoModel.from_pretrained(tmp_path / "folder").eval()
    trackers = [
        Masklet(Sam2VideoModel.from_pretrained(tmp_path / "folder"), frames),
        Transformers(others, frames),
        Meta(predictor, frames),
    ]
    seen = []
    for tracker in trackers:
        tracker.click(1, 0, torch.tensor([[40.0, 50.0]]), torch.tensor([1], dtype=torch.int32))
        corners = torch.tensor([[30.0, 20.0], [90.0, 100.0]])
        tracker.click(2, 0, corners, torch.tensor([2, 3], dtype=torch.int32))
        seen.append(tracker.track(0))
    assert (seen[0][2][1] > 0).any()  # something is there to be followed
    for frame, (logits, _) in seen[0].items():
        for name, other in zip(("transformers", "Meta"), seen[1:], strict=True):
            assert_agrees(logits, other[frame][0], f"{name}, frame {frame}")


def small_config(
    backbone: dict[str, Any] | None = None, decoder: dict[str, Any] | None = None, **fields: Any
) -> Sam2Config:
    """A network that is narrow where Meta's configurations can be, changed in the given fields."""
    trunk = {
        "hidden_size": 32,
        "blocks_per_stage": [1, 2, 3, 2],
        "global_attention_blocks": [4],
        "window_size_per_stage": [8, 4, 8, 4],
    }
    hiera = Sam2HieraDetConfig(**trunk | (backbone or {}))
    widths = ("memory_attention_hidden_size", "memory_encoder_hidden_size", "mask_downsampler_embed_dim")
    prompt_encoder = {"hidden_size": WIDTH, **fields.pop("prompt_encoder", {})}
    return Sam2Config(
        image_size=SIZE,
        vision_config={
            "backbone_config": hiera,
            "backbone_channel_list": hiera.embed_dim_per_stage[::-1],
            "fpn_hidden_size": WIDTH,
        },
        prompt_encoder_config=prompt_encoder,
        mask_decoder_config={"hidden_size": WIDTH, **(decoder or {})},
        memory_attention_num_layers=1,
        memory_fuser_embed_dim=WIDTH,
        **dict.fromkeys(widths, WIDTH),
        **{"memory_fuser_intermediate_dim": 4 * WIDTH, **fields},
    )


def transformers_difference(folder: Path, expected: Tensor, prompts: Prompts) -> float:
    from transformers.models.sam2.modeling_sam2 import Sam2Model as TransformersSam2Model
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel as TransformersSam2VideoModel

    TransformersSam2VideoModel.from_pretrained(folder)
    model = TransformersSam2Model.from_pretrained(folder).eval()
    return relative_difference(expected, model(images(), **prompts).pred_masks)


def meta_difference(checkpoint: Path, config: Sam2Config, expected: Tensor, prompts: Prompts) -> float:
    model = meta_image_model(meta_predictor(checkpoint, TINY, overrides_of(config)))
    return relative_difference(expected, meta_masks(model, prompts))


BOTH, ONLY_META, NEITHER = set(Program), {Program.META}, set[Program]()
UNEVEN = {"embed_dim_per_stage": [32, 64, 96, 128], "num_attention_heads_per_stage": [1, 2, 4, 8]}
CONFIGURATIONS: dict[str, tuple[dict[str, Any], set[Program]]] = {
    "as released but narrow": ({}, NEITHER),
    "a factor of 1.5": (
        {"backbone": {"embed_dim_per_stage": [32, 48, 72, 108], "num_attention_heads_per_stage": [1, 1, 1, 1]}},
        NEITHER,
    ),
    "global attention where a stage begins": ({"backbone": {"global_attention_blocks": [4, 6]}}, BOTH),
    "global attention in the first block": ({"backbone": {"global_attention_blocks": [0]}}, NEITHER),
    "windows that do not fit": ({"backbone": {"window_size_per_stage": [14, 4, 8, 4]}}, BOTH),
    "widths": ({"backbone": UNEVEN}, ONLY_META),
    "heads": ({"backbone": {"num_attention_heads_per_stage": [1, 2, 4, 4]}}, ONLY_META),
    "ratio of the MLP": ({"backbone": {"mlp_ratio": 2.0}}, ONLY_META),
    "patches": ({"backbone": {"patch_kernel_size": [4, 4], "patch_padding": [0, 0]}}, ONLY_META),
    "MLP of the decoder": ({"decoder": {"mlp_dim": 512}}, ONLY_META),
    "heads of the decoder": ({"decoder": {"num_attention_heads": 4}}, ONLY_META),
    "layers of the decoder": ({"decoder": {"num_hidden_layers": 1}}, ONLY_META),
    "attention of the decoder": ({"decoder": {"attention_downsample_rate": 1}}, ONLY_META),
    "number of masks": ({"decoder": {"num_multimask_outputs": 2}}, ONLY_META),
    "head for the IoU": ({"decoder": {"iou_head_hidden_dim": 64}}, ONLY_META),
    "embedding of masks": ({"prompt_encoder": {"mask_input_channels": 8}}, ONLY_META),
    "fuser of the memory": ({"memory_fuser_intermediate_dim": WIDTH}, ONLY_META),
    "channels of the memory": ({"memory_encoder_output_channels": 32}, {Program.TRANSFORMERS}),
    "as many channels of the memory as before": ({"memory_encoder_output_channels": WIDTH}, BOTH),
}


@pytest.mark.parametrize(("fields", "cannot_run_in"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_program_runs_what_no_obstacle_is_named_for(
    fields: dict[str, Any], cannot_run_in: set[Program], tmp_path: Path
) -> None:
    config = small_config(**fields)
    assert {each for each in Program if obstacles(each, config, with_memory=True)} == cannot_run_in
    network = random_network(config)
    if Program.TRANSFORMERS in cannot_run_in:
        with pytest.warns(OtherProgramWarning, match="transformers cannot run this network: "):
            network.save_pretrained(tmp_path / "folder")
    else:
        save_quietly(network, tmp_path / "folder")
    note = convert(tmp_path / "folder", tmp_path / "meta.pt", "meta")
    assert note == why_not_run(Program.META, config, with_memory=True)

    prompts = COMMON_KINDS["box and clicks"](SIZE)
    expected = Sam2Model.from_pretrained(tmp_path / "folder")(images(), **prompts).pred_masks
    for program in Program:
        try:
            difference = (
                transformers_difference(tmp_path / "folder", expected, prompts)
                if program is Program.TRANSFORMERS
                else meta_difference(tmp_path / "meta.pt", config, expected, prompts)
            )
        except Exception:
            assert program in cannot_run_in
        else:  # numbers of heads and the like are in no tensor: then the masks are others
            assert difference > 0.01 if program in cannot_run_in else difference < 1e-4


def test_meta_loads_no_file_without_the_video_part(tmp_path: Path) -> None:
    config = small_config()
    image_model = Sam2Model(config)
    image_model.save_pretrained(tmp_path / "folder")
    note = convert(tmp_path / "folder", tmp_path / "meta.pt", "meta")
    assert note is not None
    assert "no video part" in note
    with pytest.raises(RuntimeError):
        meta_predictor(tmp_path / "meta.pt", TINY, overrides_of(config))


def test_the_bundled_model_runs_in_neither(tmp_path: Path) -> None:
    from transformers.models.sam2.modeling_sam2 import Sam2Model as TransformersSam2Model

    with pytest.warns(OtherProgramWarning, match="global attention in block 11, which opens a stage"):
        Sam2Model.from_pretrained().save_pretrained(tmp_path / "folder")
    loaded = TransformersSam2Model.from_pretrained(tmp_path / "folder")
    with pytest.raises(ZeroDivisionError):
        loaded(torch.zeros(1, 3, 384, 384))
