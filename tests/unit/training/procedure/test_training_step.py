"""Learning from a clip: who gets a gradient, what is remembered, and that it helps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.support.clips import clip_of
from tests.support.small_models import randomised
from tests.support.small_recipes import small_video_config
from torch import Tensor

from masklet.datasets.scenes import Clip
from masklet.modeling.video_network import VideoNetwork
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.training.network.initial_weights import draw_initial_weights, draw_memory_weights
from masklet.training.procedure import clip_rollout, training_step
from masklet.training.procedure.clip_rollout import ClipPlan, ClipRollout
from masklet.training.procedure.training_step import clip_step
from masklet.training.settings.procedure import AnnotatorShares, ClipTracking, PromptShares
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import Stage
from masklet.training.supply.clip_batches import ClipBatch, ClipSample, sample_clip
from masklet.training.supply.prompting import PointPrompts, PromptKind

MEMORY_PARTS = ("memory_attention.", "memory_encoder.", "object_pointer_proj.", "memory_temporal")


def network(seed: int = 0) -> VideoNetwork:
    torch.manual_seed(seed)
    model = VideoNetwork(small_video_config())
    model.resize(64)
    draw_initial_weights(model)
    draw_memory_weights(model)
    return model.train()


def sample(frames: int = 3, sides: tuple[int, ...] = (12, 20)) -> ClipSample:
    return sample_clip(clip_of(*sides, frames=frames), 4, np.random.default_rng(0))


CLICKS, BOXES = PromptShares(click=1, box=0, mask=0), PromptShares(click=0, box=1, mask=0)
# A mask a clip, and nothing else; the shares of points do not matter then.
MASKS = ClipTracking(prompts=PromptShares(click=1, box=0, mask=1), prompted_frames=1)


def recipe(tracking: ClipTracking = MASKS) -> Recipe:
    return Recipe("clips", small_video_config(), (Stage(64, 1),), (), tracking=tracking)


def points(shares: PromptShares = CLICKS, corrections: int = 0) -> ClipTracking:
    return ClipTracking(shares, prompted_frames=1, corrected_frames=1, corrections=corrections)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("tracking", [points(), MASKS], ids=["points", "masks"])
def test_gradients_reach_the_memory(tracking: ClipTracking) -> None:
    model = network()
    clip_step(model, ClipBatch([sample()]), recipe(tracking), (0, 0)).total.backward()
    for part in MEMORY_PARTS:
        gradients = [
            p.grad for name, p in model.named_parameters() if name.startswith(part) and not name.endswith("k_proj.bias")
        ]
        assert gradients, part
        assert all(each is not None and each.abs().sum() > 0 for each in gradients), part


def test_gradients_reach_every_parameter() -> None:
    """In some step: what is said of an absent object is of no use where all are present."""
    torch.manual_seed(0)
    model = randomised(VideoNetwork(small_video_config()), 1).train()
    model.resize(64)
    with torch.no_grad():
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(0.3)  # some objects are taken for absent
    plans = [ClipTracking(shares, corrected_frames=2, corrections=2) for shares in (CLICKS, BOXES)]
    for number, tracking in enumerate([*plans, MASKS]):
        clip_step(model, ClipBatch([sample(frames=4)]), recipe(tracking), (number, 0)).total.backward()
    untouched = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    of_masks = {name.split(".")[2] for name in untouched if name.startswith("mask_decoder.output_hypernetworks_mlps.")}
    assert of_masks < {"1", "2", "3"}  # only the best of three masks learns
    others = {name for name in untouched if "output_hypernetworks_mlps" not in name}
    assert others == {"no_memory_positional_encoding"}  # part of every checkpoint, and never used


def test_detached_masks_learn_from_their_own_answer_only() -> None:
    def gradient_of_first_masks(detached: bool) -> float:
        plan = ClipPlan(2, {0: PromptKind.CLICK}, frozenset())
        tracking = ClipTracking(corrections=0, detach_masks=detached)
        rollout = ClipRollout(network(), ClipBatch([sample(frames=2)]), plan, tracking, SimulatedAnnotator())
        rollout.step(0, PromptKind.CLICK, 0)
        first = rollout.final_masks[0]
        first.logits.retain_grad()
        rollout.final_masks[0] = replace(first, pointer=first.pointer.detach())
        rollout._encode_memory(0, rollout._view(0)[2], rollout.final_masks[0])
        rollout.step(1, None, 0)
        rollout.supervised_outputs[1].outputs.logits.sum().backward()
        return 0.0 if first.logits.grad is None else float(first.logits.grad.abs().sum())

    assert gradient_of_first_masks(False) > 0
    assert gradient_of_first_masks(True) == 0


def test_an_absent_object_teaches_its_score_only() -> None:
    clip = sample(frames=2)
    clip.masks[1] = False
    model = network()
    loss = clip_step(model, ClipBatch([clip]), recipe(), (0, 0))
    assert loss.metrics["clip/dice"] == loss.metrics["clip/focal"] == loss.metrics["clip/iou"] == 0
    score = loss.metrics["clip/object_score"]
    assert loss.metrics["total"] == pytest.approx(score / 2)  # one answer, of two frames
    assert score > 0.5  # the drawn weights have not learnt that anything can be absent
    loss.total.backward()
    hypernetworks = model.mask_decoder.output_hypernetworks_mlps
    assert all(p.grad is None or not p.grad.any() for p in hypernetworks.parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.mask_decoder.pred_obj_score_head.parameters())


def test_clips_count_the_same_however_many_objects_they_have() -> None:
    model = network()
    clips = [sample(sides=(12,)), sample(sides=(10, 14, 18))]
    with torch.no_grad():
        losses = [float(clip_step(model, ClipBatch([clip]), recipe(), (0, 0)).total) for clip in clips]
        together = float(clip_step(model, ClipBatch(clips), recipe(), (0, 0)).total)
    assert together == pytest.approx(np.mean(losses), rel=1e-5)


def test_answers_of_all_frames_and_corrections_add_up() -> None:
    model, batch = network(), ClipBatch([sample(frames=2)])
    with torch.no_grad():
        losses = {n: clip_step(model, batch, recipe(points(corrections=n)), (0, 0)) for n in (0, 3)}
    for corrections, loss in losses.items():
        weights = {"focal": 20, "dice": 1, "iou": 1, "object_score": 1}
        average = sum(weight * loss.metrics[f"clip/{name}"] for name, weight in weights.items())
        assert loss.metrics["total"] == pytest.approx(average * (2 + corrections) / 2, rel=1e-5)


def test_chance_comes_from_the_step_and_its_part() -> None:
    model, batch = network(), ClipBatch([sample(frames=4)])
    uniform = replace(recipe(points(corrections=1)), annotator=AnnotatorShares())
    with torch.no_grad():
        losses = [float(clip_step(model, batch, uniform, step).total) for step in ((0, 0), (0, 0), (0, 1), (1, 0))]
    assert losses[0] == losses[1]
    assert len(set(losses)) == 3


def test_all_parts_of_a_step_follow_one_plan() -> None:
    """Processes wait for each other: none should have more to do."""

    def answers(step: tuple[int, int]) -> int:
        seen.clear()
        with torch.no_grad():
            clip_step(model, batch, recipe(ClipTracking(corrections=2)), step)
        return len(seen)

    model, batch, seen = network(), ClipBatch([sample(frames=3, sides=(12,))]), []
    model.mask_decoder.register_forward_hook(lambda *_: seen.append(None))
    counts = [[answers((number, part)) for part in range(2)] for number in range(4)]
    assert all(one == other for one, other in counts)
    assert len({one for one, _ in counts}) > 1


@pytest.mark.parametrize("tracking", [points(corrections=2), MASKS], ids=["points", "masks"])
def test_nothing_but_simulated_prompts_leaves_the_device(
    monkeypatch: pytest.MonkeyPatch, tracking: ClipTracking
) -> None:
    """On a device without values, reading any is an error."""

    def prompts(masks: Tensor, *_: object) -> PointPrompts:
        places = torch.zeros(len(masks), 1, 1, 2, device=masks.device)
        return PointPrompts(places, torch.ones_like(places[..., 0], dtype=torch.long))

    monkeypatch.setattr(clip_rollout, "first_prompts", prompts)
    monkeypatch.setattr(clip_rollout, "correcting_clicks", prompts)
    monkeypatch.setattr(training_step, "_clip_metrics", lambda *_: {})
    device = torch.device("meta")
    batch = ClipBatch([sample(sides=(12, 20)), sample(sides=(16,))]).to(device)
    loss = clip_step(network().to(device), batch, recipe(tracking), (0, 0))
    loss.total.backward()
    assert loss.total.device == device


def test_training_learns_to_follow_a_clip_by_heart() -> None:
    """Two squares that look alike and go apart: only memory tells which is which."""
    masks = np.zeros((3, 2, 64, 64), bool)
    for frame in range(3):
        masks[frame, 0, 4:28, 4 + 6 * frame : 28 + 6 * frame] = True
        masks[frame, 1, 36:60, 36 - 6 * frame : 60 - 6 * frame] = True
    images = np.where(masks.any(axis=1)[..., None], np.uint8(220), np.uint8(40)).repeat(3, axis=-1)
    clip = sample_clip(Clip(images, masks, "squares"), 2, rng())
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    curves = []
    for step in range(200):  # how many it takes depends on how the processor rounds
        loss = clip_step(model, ClipBatch([clip]), recipe(), (step, 0))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        curves.append(loss.metrics)
        if loss.metrics["clip/dice"] < 0.3:  # about 0.53 as long as both squares get the same answers
            break
    assert curves[-1]["clip/dice"] < 0.3
    assert curves[-1]["total"] < 0.5 * curves[0]["total"]
