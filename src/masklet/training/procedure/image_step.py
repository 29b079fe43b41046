"""One training step on images: encode the scenes once, then prompt all their objects for several prompt rounds."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from masklet.modeling.image_model import Sam2Model
from masklet.prompts.point_labels import NOT_A_POINT, POSITIVE
from masklet.training.procedure.losses import RoundLoss, round_loss
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.image_batches import SceneBatch
from masklet.training.supply.prompting import PointPrompts, coarse_mask_logits, correcting_clicks


@dataclass
class StepLoss:
    """The loss to go back from, and the metrics of the step."""

    total: Tensor
    metrics: dict[str, float]


def image_step(model: Sam2Model, batch: SceneBatch, recipe: Recipe, step: tuple[int, int]) -> StepLoss:
    """Compute the mean loss over `recipe.prompt_rounds` prompt rounds; all chance comes from the seed and `step`.

    `step` are the numbers of the step and of the micro-batch in it.
    """
    rng = np.random.default_rng((recipe.seed, *step))
    annotator = recipe.annotator.annotator(rng)
    torch.manual_seed(int(rng.integers(2**31)))  # for stochastic depth
    features = model.without_memory(model.encode_image(batch.normalized()))
    prompts, masks = _first_prompts(batch, recipe, rng)
    rounds: list[RoundLoss] = []
    for number in range(recipe.prompt_rounds):
        is_click = (prompts.labels == POSITIVE).sum(-1).eq(1) & (prompts.labels > POSITIVE).sum(-1).eq(0)
        is_ambiguous = is_click & (number == 0) & (masks is None)
        outputs = model.decode_images(features, prompts.points, prompts.labels, masks)
        result = round_loss(outputs, batch.targets, is_ambiguous, batch.valid, recipe.losses, batch.crops)
        rounds.append(result)
        masks = result.chosen_logits
        if number + 1 < recipe.prompt_rounds:
            prompts = prompts.followed_by(correcting_clicks(masks, batch.targets, 4, annotator))
    total = torch.stack([result.total for result in rounds]).mean()
    return StepLoss(total, _metrics(rounds))


def _first_prompts(batch: SceneBatch, recipe: Recipe, rng: np.random.Generator) -> tuple[PointPrompts, Tensor | None]:
    """Return the loader's clicks and boxes, or for a whole step mask prompts and no points."""
    if rng.random() >= recipe.prompts.mask:
        return batch.prompts, None
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    nothing = batch.prompts.labels[..., :1].clone().fill_(NOT_A_POINT)
    return (
        PointPrompts(torch.zeros_like(batch.prompts.points[..., :1, :]), nothing),
        coarse_mask_logits(batch.targets, generator),
    )


def _metrics(rounds: list[RoundLoss]) -> dict[str, float]:
    last = len(rounds) - 1
    metrics = {
        f"round_{number}/{name}": float(value.detach())
        for number in (0, last)
        for name, value in rounds[number].parts.items()
    }
    return {"total": float(torch.stack([result.total.detach() for result in rounds]).mean()), **metrics}
