"""Learning from a clip: who gets a gradient, what is remembered, and that it helps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.training.small_recipes import small_video_config
from tests.unit.training.test_clip_batches import clip_of

from masklet.datasets.scenes import Clip
from masklet.modeling.video_network import VideoNetwork
from masklet.training.clip_batches import ClipBatch, ClipSample, sample_clip
from masklet.training.clip_step import Follower, clip_step, follow
from masklet.training.initial_memory import draw_memory_weights
from masklet.training.initial_weights import draw_initial_weights
from masklet.training.recipe import ClipTracking, PromptShares, Recipe, Stage

MEMORY_PARTS = ("memory_attention.", "memory_encoder.", "object_pointer_proj.", "memory_temporal")


def network(seed: int = 0) -> VideoNetwork:
    torch.manual_seed(seed)
    model = VideoNetwork(small_video_config())
    model.resize(64)
    draw_initial_weights(model)
    draw_memory_weights(model)
    return model.train()


def sample(frames: int = 3, sides: tuple[int, ...] = (12, 20)) -> ClipSample:
    return sample_clip(clip_of(*sides, frames=frames), 4, 0.5, np.random.default_rng(0))


def recipe(**tracking: float | bool) -> Recipe:
    return Recipe("clips", small_video_config(), (Stage(64, 1),), (), tracking=ClipTracking(**tracking))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("mask_share", [0.0, 1.0], ids=["points", "masks"])
def test_gradients_reach_the_memory(mask_share: float) -> None:
    model = network()
    clip_step(model, ClipBatch([sample()]), recipe(mask_share=mask_share, correction_share=0), (0, 0)).total.backward()
    for part in MEMORY_PARTS:
        gradients = [
            p.grad for name, p in model.named_parameters() if name.startswith(part) and not name.endswith("k_proj.bias")
        ]
        assert gradients, part
        assert all(each is not None and each.abs().sum() > 0 for each in gradients), part


def test_detached_masks_learn_from_their_own_frame_only() -> None:
    def gradient_of_first_masks(detached: bool) -> float:
        follower = Follower(network(), sample(), detach_masks=detached)
        first = follower.prompt()
        first.logits.retain_grad()
        follower.remember(0, replace(first, pointer=first.pointer.detach()))
        follower.track(1)
        follower.lessons[1].decoded.masks.sum().backward()
        return 0.0 if first.logits.grad is None else float(first.logits.grad.abs().sum())

    assert gradient_of_first_masks(False) > 0
    assert gradient_of_first_masks(True) == 0


def test_frames_attend_to_the_first_and_the_last_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    model, seen = network(), []
    condition = model.condition

    def noting(features, spatial, pointers, span):
        seen.append(([memory.slot for memory in spatial], [memory.distance for memory in pointers]))
        return condition(features, spatial, pointers, span)

    monkeypatch.setattr(model, "condition", noting)
    follow(model, sample(frames=4, sides=(12,)), ClipTracking(mask_share=0, correction_share=0), rng())
    assert seen == [([], []), ([2], [1]), ([2, 0], [2, 1]), ([2, 0, 1], [3, 1, 2])]


def test_a_correction_is_one_more_lesson_and_a_prompted_frame() -> None:
    follower = Follower(network(), sample(), detach_masks=False)
    follower.remember(0, follower.adopt())
    tracked = follower.track(1)
    corrected = follower.correct(1, tracked, rng())
    assert follower.conditioning == [0, 1]
    assert len(follower.lessons) == 2
    assert not follower.lessons[1].is_ambiguous.any()
    assert not torch.equal(corrected.logits, tracked.logits)
    frames = [len(follow(network(), sample(), ClipTracking(1.0, share), rng()).lessons) for share in (0.0, 1.0)]
    assert frames == [2, 3]


def test_an_absent_object_teaches_its_score_only() -> None:
    clip = sample(frames=2)
    clip.targets[1] = 0
    model = network()
    loss = clip_step(model, ClipBatch([clip]), recipe(mask_share=1, correction_share=0), (0, 0))
    assert loss.curves["clip/dice"] == loss.curves["clip/focal"] == loss.curves["clip/iou"] == 0
    score = loss.curves["clip/object_score"]
    assert loss.curves["total"] == pytest.approx(score)
    assert score > 0.5  # the drawn weights have not learnt that anything can be absent
    loss.total.backward()
    hypernetworks = model.mask_decoder.output_hypernetworks_mlps
    assert all(p.grad is None or not p.grad.any() for p in hypernetworks.parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.mask_decoder.pred_obj_score_head.parameters())


def test_clips_count_the_same_however_many_objects_they_have() -> None:
    model, alone = network(), recipe(mask_share=1, correction_share=0)
    clips = [sample(sides=(12,)), sample(sides=(10, 14, 18))]
    with torch.no_grad():
        losses = [float(clip_step(model, ClipBatch([clip]), alone, (0, 0)).total) for clip in clips]
        together = float(clip_step(model, ClipBatch(clips), alone, (0, 0)).total)
    assert together == pytest.approx(np.mean(losses), rel=1e-5)


def test_chance_comes_from_the_step() -> None:
    model, batch = network(), ClipBatch([sample(frames=4)])
    often = replace(recipe(mask_share=0.5, correction_share=0.5), prompts=PromptShares())
    with torch.no_grad():
        losses = [float(clip_step(model, batch, often, (step, 0)).total) for step in (0, 0, 1, 2, 3)]
    assert losses[0] == losses[1]
    assert len(set(losses)) > 2


def test_training_learns_to_follow_a_clip_by_heart() -> None:
    """Two squares that look alike and go apart: only memory tells which is which."""
    masks = np.zeros((3, 2, 64, 64), bool)
    for frame in range(3):
        masks[frame, 0, 4:28, 4 + 6 * frame : 28 + 6 * frame] = True
        masks[frame, 1, 36:60, 36 - 6 * frame : 60 - 6 * frame] = True
    pictures = np.where(masks.any(axis=1)[..., None], np.uint8(220), np.uint8(40)).repeat(3, axis=-1)
    clip = sample_clip(Clip(pictures, masks, "squares"), 2, 0.0, rng())
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    curves = []
    for step in range(60):
        loss = clip_step(model, ClipBatch([clip]), recipe(mask_share=1, correction_share=0), (step, 0))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        curves.append(loss.curves)
    assert curves[-1]["total"] < 0.5 * curves[0]["total"]
    assert curves[-1]["clip/dice"] < 0.3  # about 0.53 as long as both squares get the same answers
