"""The verbs of the video network, against the parts of both references that do the same."""

from pathlib import Path

import pytest
import torch
from tests.parity.agreement import assert_agrees, relative_difference
from tests.parity.video_trio import VideoTrio, build_video_trio
from torch import Tensor

from masklet.modeling.object_memory import stacked_memory
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.object_masks import select_mask, use_mask_as_output

OBJECTS = 3
FRAME = 20  # the frame that is conditioned, in a video of 40


@pytest.fixture(scope="module", params=["2.1", "2.0"])
def trio(request: pytest.FixtureRequest) -> VideoTrio:
    from benchmarks.references.configurations import small_video

    return build_video_trio(small_video(version=request.param), VideoNetwork)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def as_sequence(features: Tensor, objects: int = 1) -> Tensor:
    """[1, channels, h, w] to the references' [h * w, objects, channels]."""
    return features.flatten(2).permute(2, 0, 1).expand(-1, objects, -1)


def conditioned_by_meta(
    trio: VideoTrio, memories: dict[int, Tensor], pointers: dict[int, Tensor], first: int
) -> Tensor:
    """Meta's predictor chooses frames and positions itself; `first` is its one conditioning frame."""
    side, meta = trio.side, trio.meta
    channels_first = {t: memory.transpose(1, 2).unflatten(2, (side, side)) for t, memory in memories.items()}
    outputs = {
        t: {
            "maskmem_features": memory,
            "maskmem_pos_enc": [meta.memory_encoder.position_encoding(memory)],
            "obj_ptr": pointers[t],
        }
        for t, memory in channels_first.items()
    }
    raw = trio.levels[2]
    positions = trio.masklet.vision_encoder.position_encoding(raw.permute(0, 2, 3, 1), 2)
    conditioned: Tensor = meta._prepare_memory_conditioned_features(
        frame_idx=FRAME,
        is_init_cond_frame=False,
        current_vision_feats=[as_sequence(raw, OBJECTS)],
        current_vision_pos_embeds=[as_sequence(positions, OBJECTS)],
        feat_sizes=[(side, side)],
        output_dict={
            "cond_frame_outputs": {first: outputs.pop(first)},
            "non_cond_frame_outputs": outputs,
        },
        num_frames=40,
    )
    return conditioned


@pytest.mark.parametrize("others", [0, 1, 3, 6])
def test_condition_as_meta(trio: VideoTrio, others: int) -> None:
    first = 5
    frames = [first, *range(FRAME - others, FRAME)]
    tokens, width = trio.side**2, trio.configuration["memory_attention_hidden_size"]
    memories = {t: drawn(OBJECTS, tokens, 64, seed=t) for t in frames}
    pointers = {t: drawn(OBJECTS, width, seed=100 + t) for t in frames}
    expected = conditioned_by_meta(trio, memories, pointers, first)
    slots = [6 if t == first else FRAME - t - 1 for t in frames]
    spatial, config = [memories[t] for t in frames], trio.masklet.config
    memory = stacked_memory(config, spatial, slots, [pointers[t] for t in frames], [FRAME - t for t in frames], 16)
    assert_agrees(trio.masklet.condition(trio.levels[2], memory), expected)
    without_last = trio.masklet.condition(trio.levels[2], stacked_memory(config, spatial[:-1], slots[:-1]))
    assert relative_difference(without_last, expected) > 1e-2


@pytest.mark.parametrize(("frames", "pointers"), [(1, 0), (7, 0), (7, 16), (0, 3)])
def test_condition_as_transformers(trio: VideoTrio, frames: int, pointers: int) -> None:
    """Its attention and its pointer tokens, one object after the other, as it does."""
    tokens, reference = trio.side**2, trio.transformers
    width = trio.configuration["memory_attention_hidden_size"]
    spatial = [drawn(OBJECTS, tokens, 64, seed=slot) for slot in range(frames)]
    recent = [drawn(OBJECTS, width, seed=distance) for distance in range(pointers)]
    memory = stacked_memory(trio.masklet.config, spatial, range(frames), recent, range(pointers), pointer_span=16)
    ours = trio.masklet.condition(trio.levels[2], memory)
    raw = trio.levels[2]
    positions = trio.masklet.vision_encoder.position_encoding(raw.permute(0, 2, 3, 1), 2)
    for index in range(OBJECTS):
        of_object = [features[index : index + 1].transpose(0, 1) for features in spatial]
        memory_positions = as_sequence(
            reference.memory_encoder.position_encoding((1, 64, trio.side, trio.side), raw.device, raw.dtype)
        )
        times = [memory_positions + reference.memory_temporal_positional_encoding[slot] for slot in range(frames)]
        count = 0
        if recent:
            extra, extra_times = reference._process_object_pointers(
                list(range(pointers)),
                [pointer[index : index + 1] for pointer in recent],
                16,
                1,
                width,
                raw.device,
            )
            count = len(extra)
            of_object.append(extra)
            times.append(extra_times)
        expected = reference.memory_attention(
            current_vision_features=as_sequence(raw),
            current_vision_position_embeddings=as_sequence(positions),
            memory=torch.cat(of_object),
            memory_posision_embeddings=torch.cat(times),
            num_object_pointer_tokens=count,
        )
        assert_agrees(ours[index].flatten(1).T, expected.squeeze(), f"object {index}")


def test_nothing_to_remember(trio: VideoTrio) -> None:
    ours = trio.masklet.condition(trio.levels[2], stacked_memory(trio.masklet.config, [], []))
    assert torch.equal(ours, trio.masklet.without_memory(trio.levels)[2])


@pytest.mark.parametrize("is_prompted", [False, True])
def test_encode_memory(trio: VideoTrio, is_prompted: bool) -> None:
    size, side = trio.configuration["image_size"], trio.side
    logits = drawn(OBJECTS, size // 4, size // 4) * 3
    scores = torch.tensor([2.0, -1.0, 0.0])
    ours = trio.masklet.encode_memory(trio.levels[2], logits, scores, torch.full((OBJECTS,), is_prompted))
    enlarged = torch.nn.functional.interpolate(logits[:, None], (size, size), mode="bilinear")
    meta, _ = trio.meta._encode_new_memory(
        [as_sequence(trio.levels[2], OBJECTS)], [(side, side)], enlarged, scores[:, None], is_prompted
    )
    assert_agrees(ours, meta.flatten(2).transpose(1, 2), "Meta")
    theirs, _ = trio.transformers._encode_new_memory(
        as_sequence(trio.levels[2], OBJECTS), enlarged, scores[:, None, None], is_prompted
    )
    assert_agrees(ours, theirs.transpose(0, 1).float(), "transformers (bfloat16)", tolerance=5e-3)


def test_each_object_is_remembered_as_it_was_prompted(trio: VideoTrio) -> None:
    size = trio.configuration["image_size"]
    logits, scores = drawn(2, size // 4, size // 4), torch.ones(2)
    both = trio.masklet.encode_memory(trio.levels[2], logits, scores, torch.tensor([True, False]))
    for index, is_prompted in enumerate((True, False)):
        alone = trio.masklet.encode_memory(
            trio.levels[2], logits[index : index + 1], scores[:1], torch.tensor([is_prompted])
        )
        assert_agrees(both[index : index + 1], alone)
    assert relative_difference(both[0], both[1]) > 1e-2


@pytest.mark.parametrize("is_multimask", [False, True])
@pytest.mark.parametrize("frame", range(4))
def test_decode_and_select_as_meta(trio: VideoTrio, is_multimask: bool, frame: int) -> None:
    """Features conditioned for each object, one finer pair of levels for all: three objects with a click each."""
    size, width = trio.configuration["image_size"], trio.configuration["memory_attention_hidden_size"]
    features = drawn(OBJECTS, width, trio.side, trio.side, seed=frame)
    points = torch.rand(OBJECTS, 1, 2, generator=torch.Generator().manual_seed(frame)) * size
    labels = torch.ones(OBJECTS, 1, dtype=torch.int32)
    outputs = trio.masklet.decode(trio.levels.conditioned(features), points, labels)
    ours = select_mask(outputs, torch.full((OBJECTS,), is_multimask), trio.masklet.config)
    _, _, iou, logits, _, pointer, score = trio.meta._forward_sam_heads(
        backbone_features=features,
        point_inputs={"point_coords": points, "point_labels": labels},
        high_res_features=[level.expand(OBJECTS, -1, -1, -1) for level in trio.levels[:2]],
        multimask_output=is_multimask,
    )
    assert_agrees(ours.logits, logits[:, 0], "logits")
    assert_agrees(ours.iou, iou.amax(1) if is_multimask else iou[:, 0], "IoU")
    assert_agrees(ours.object_score, score[:, 0], "object score")
    assert_agrees(ours.pointer, pointer, "pointer")


def test_absent_objects_are_among_those_compared(trio: VideoTrio) -> None:
    width = trio.configuration["memory_attention_hidden_size"]
    features = torch.cat([drawn(OBJECTS, width, trio.side, trio.side, seed=frame) for frame in range(4)])
    outputs = trio.masklet.decode(trio.levels.conditioned(features))
    outcome = select_mask(outputs, torch.ones(len(features), dtype=torch.bool), trio.masklet.config)
    is_absent = outcome.object_score <= 0
    assert 0 < is_absent.sum() < len(features)
    assert (outcome.logits[is_absent] == -1024).all()
    assert torch.equal(outcome.pointer[is_absent], trio.masklet.no_object_pointer.expand(int(is_absent.sum()), -1))


def test_a_mask_prompt_as_output(trio: VideoTrio) -> None:
    size = trio.configuration["image_size"]
    masks = torch.nn.functional.interpolate(drawn(4, 1, 8, 8), (size, size), mode="bilinear")[:, 0] > 0
    masks[3] = False
    raw = [level.expand(4, -1, -1, -1) for level in trio.levels]
    ours = use_mask_as_output(trio.masklet, trio.levels, masks.float())
    _, _, _, low, _, pointer, score = trio.meta._use_mask_as_output(raw[2], raw[:2], masks[:, None].float())
    assert_agrees(ours.logits, low[:, 0], "logits (Meta)")
    assert_agrees(ours.pointer, pointer, "pointer (Meta)")
    assert_agrees(ours.object_score, score[:, 0], "object score (Meta)")
    assert torch.equal(ours.pointer[3], trio.masklet.no_object_pointer[0])
    theirs = trio.transformers._use_mask_as_output(raw[2], raw[:2], masks[:, None].float())
    assert_agrees(ours.logits, theirs.pred_masks.view_as(ours.logits), "logits (transformers)")
    assert_agrees(ours.object_score, theirs.object_score_logits.flatten(), "object score (transformers)")
    assert_agrees(ours.iou, theirs.iou_scores.flatten(), "IoU (transformers)")


def test_checkpoints_of_both_references(trio: VideoTrio, tmp_path: Path) -> None:
    trio.transformers.save_pretrained(tmp_path / "folder")
    torch.save({"model": trio.meta.state_dict()}, tmp_path / "meta.pt")
    from_folder = VideoNetwork.from_pretrained(tmp_path / "folder")
    from_file = VideoNetwork.from_pretrained(tmp_path / "meta.pt", config=trio.masklet.config)
    for name, value in trio.masklet.state_dict().items():
        assert torch.equal(from_folder.state_dict()[name], value), name
        assert torch.equal(from_file.state_dict()[name], value), name
