"""The verbs: shapes, independence of objects, training, half precision and checkpoints."""

from pathlib import Path

import pytest
import torch
from tests.support.small_models import random_pixels, randomised
from tests.support.small_video_models import SIZE, video_config
from torch import Tensor

from masklet import Sam2Model
from masklet.errors import CheckpointError
from masklet.modeling.object_memory import stacked_memory
from masklet.modeling.values import ImageFeatures
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.object_masks import ObjectMask, select_mask, use_mask_as_output

MULTIMASK = torch.ones(2, dtype=torch.bool)


def video_network(seed: int = 0, **fields: object) -> VideoNetwork:
    torch.manual_seed(seed)
    network: VideoNetwork = randomised(VideoNetwork(video_config(**fields)), seed)
    return network


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def two_frames(network: VideoNetwork) -> tuple[ObjectMask, ObjectMask]:
    """Two objects, one clicked and one given as a mask; then the next frame, with both remembered."""
    first = network.encode_image(random_pixels(SIZE).to(network.dtype))
    points, labels = torch.tensor([[[30.0, 40.0]], [[60.0, 20.0]]]), torch.ones(2, 1, dtype=torch.long)
    outputs = network.decode(network.without_memory(first), points, labels)
    clicked = select_mask(outputs, MULTIMASK, network.config, is_training=network.training)
    masks = torch.zeros(2, SIZE, SIZE)
    masks[0, 20:50, 10:60] = 1  # the other object is absent
    given = use_mask_as_output(network, first, masks)
    positions, known = (network.config.num_maskmem - 1, 0), (clicked, given)
    certain = torch.tensor([False, False])
    memory = stacked_memory(
        network.config,
        [network.encode_memory(first.stride16, each.logits, each.object_score, certain) for each in known],
        positions,
        [each.pointer for each in known],
        [1 + position for position in positions],
        pointer_span=16,
    )
    second = network.encode_image(random_pixels(SIZE, seed=1).to(network.dtype))
    outputs = network.decode(second.conditioned(network.condition(second.stride16, memory)))
    return clicked, select_mask(outputs, MULTIMASK, network.config, is_training=network.training)


def test_shapes() -> None:
    with torch.no_grad():
        for outcome in two_frames(video_network()):
            assert outcome.logits.shape == (2, SIZE // 4, SIZE // 4)
            assert outcome.iou.shape == outcome.object_score.shape == (2,)
            assert outcome.pointer.shape == (2, 64)


def test_an_object_does_not_depend_on_the_others() -> None:
    network = video_network().double()
    tokens = (SIZE // 16) ** 2
    memory, pointers = drawn(3, tokens, 32).double(), drawn(3, 64).double()
    features, finer = drawn(1, 64, 6, 6).double(), (drawn(1, 8, 24, 24).double(), drawn(1, 16, 12, 12).double())
    logits, scores, prompted = drawn(3, 24, 24).double(), drawn(3).double(), torch.tensor([True, False, True])

    def steps(chosen: slice) -> list[Tensor]:
        frames = [memory[chosen], memory.flip(0)[chosen]]
        remembered = stacked_memory(network.config, frames, (6, 0), [pointers[chosen]], [2], pointer_span=16)
        conditioned = network.condition(features, remembered)
        outputs = network.decode(ImageFeatures(*finer, conditioned))
        outcome = select_mask(outputs, torch.tensor([True, False, True])[chosen], network.config)
        remembered = network.encode_memory(features, logits[chosen], scores[chosen], prompted[chosen])
        return [conditioned, outcome.logits, outcome.pointer, outcome.iou, remembered]

    with torch.no_grad():
        together = steps(slice(0, 3))
        for index in range(3):
            for all_of_them, alone in zip(together, steps(slice(index, index + 1)), strict=True):
                torch.testing.assert_close(all_of_them[index : index + 1], alone, rtol=1e-9, atol=1e-9)


def test_time_and_place_of_a_memory_matter() -> None:
    network = video_network()
    features, memory, pointer = drawn(1, 64, 6, 6), drawn(1, 36, 32), drawn(1, 64)
    with torch.no_grad():
        results = [
            network.condition(features, stacked_memory(network.config, [tokens], [slot], [pointer], [distance], span))
            for tokens, slot, distance, span in (
                (memory, 6, 1, 16),
                (memory, 0, 1, 16),  # another time
                (memory.flip(1), 6, 1, 16),  # elsewhere
                (memory, 6, 5, 16),  # an older pointer
                (memory, 6, 1, 4),  # a shorter video
            )
        ]
    for other in results[1:]:
        assert (other - results[0]).abs().max() > 1e-3


def test_memories_may_be_stored_in_half_precision() -> None:
    network = video_network()
    features, memory = drawn(1, 64, 6, 6), drawn(1, 36, 32).bfloat16()
    with torch.no_grad():
        stored, expected = (
            network.condition(features, stacked_memory(network.config, [each], [6]))
            for each in (memory, memory.float())
        )
    assert torch.equal(stored, expected)


def test_no_slots_no_memory() -> None:
    network, features = VideoNetwork(video_config(num_maskmem=0)), drawn(1, 64, 6, 6)
    assert network.condition(features, stacked_memory(network.config, [], [])) is features


def test_gradients_reach_every_parameter() -> None:
    network = video_network().train()
    clicked, tracked = two_frames(network)
    loss = sum((o.logits.square().mean() + o.pointer.square().mean() + o.iou.sum()) for o in (clicked, tracked))
    (loss + tracked.object_score.sum()).backward()
    untouched = [
        name for name, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    video_parts = [name for name in untouched if not hasattr(Sam2Model(network.config), name.split(".")[0])]
    assert video_parts == ["no_memory_positional_encoding"]


def test_evaluation_is_deterministic_and_training_drops_out() -> None:
    network = video_network()
    features, memory = drawn(1, 64, 6, 6), stacked_memory(network.config, [drawn(1, 36, 32)], [6])
    with torch.no_grad():
        first, again = (network.condition(features, memory) for _ in range(2))
        assert torch.equal(first, again)
        network.train()
        assert not torch.equal(first, network.condition(features, memory))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype: torch.dtype) -> None:
    network = video_network()
    with torch.no_grad():
        expected = two_frames(network)
        rounded = two_frames(network.to(dtype))
    for outcome, exact in zip(rounded, expected, strict=True):
        assert outcome.logits.dtype == outcome.pointer.dtype == outcome.iou.dtype == dtype
        assert outcome.logits.isfinite().all()
        is_same = (outcome.object_score > 0) == (exact.object_score > 0)
        difference = (outcome.iou.float() - exact.iou)[is_same].abs()
        assert is_same.any()
        assert difference.max() < 0.2


def test_checkpoints_serve_images_and_video(tmp_path: Path) -> None:
    network = video_network()
    network.save_pretrained(tmp_path / "video")
    again = VideoNetwork.from_pretrained(tmp_path / "video")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in network.state_dict().items())
    images = Sam2Model.from_pretrained(tmp_path / "video")
    assert set(images.state_dict()) < set(network.state_dict())
    images.save_pretrained(tmp_path / "images")
    with pytest.raises(CheckpointError, match=r"missing: memory_temporal_positional_encoding, no_object_pointer"):
        VideoNetwork.from_pretrained(tmp_path / "images")
    started = VideoNetwork.from_pretrained(tmp_path / "images", strict=False)
    assert torch.equal(started.no_memory_embedding, images.no_memory_embedding)


@pytest.mark.parametrize(
    ("option", "absent"),
    [
        ("enable_occlusion_spatial_embedding", "occlusion_spatial_embedding_parameter"),
        ("enable_temporal_pos_encoding_for_object_pointers", "temporal_positional_encoding_projection_layer.weight"),
    ],
)
def test_parts_that_version_2_0_lacks(option: str, absent: str) -> None:
    assert absent in VideoNetwork(video_config()).state_dict()
    network = video_network(**{option: False})
    assert absent not in network.state_dict()
    with torch.no_grad():
        two_frames(network)


def test_initial_values() -> None:
    torch.manual_seed(0)
    state = VideoNetwork(video_config()).state_dict()
    for name in ("memory_temporal_positional_encoding", "no_object_pointer", "occlusion_spatial_embedding_parameter"):
        assert not state[name].any(), name
    for name in ("memory_attention.layers.0.linear1", "memory_encoder.projection", "object_pointer_proj.layers.0"):
        assert 0.015 < state[f"{name}.weight"].std() < 0.025, name
        assert not state[f"{name}.bias"].any(), name
    assert (state["memory_encoder.memory_fuser.layers.1.scale"] == 1e-6).all()
