"""A training step as one call of one module, so that DDP and FSDP see all that it does."""

from torch import Tensor, nn

from masklet.modeling.video_network import VideoNetwork
from masklet.training.procedure.clip_step import clip_step
from masklet.training.procedure.stills_step import stills_step
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.stills_batches import SceneBatch

Batch = SceneBatch | ClipBatch


class Task:
    """What a process does for one share of a step. A plain object: Fabric would round the tensors of others."""

    def __init__(self, batch: Batch, step: tuple[int, int]) -> None:
        self.batch, self.step = batch, step


class LearningStep(nn.Module):
    """The network under a recipe: a task in, its loss out."""

    def __init__(self, network: VideoNetwork, recipe: Recipe) -> None:
        super().__init__()
        self.network, self.recipe = network, recipe

    def forward(self, task: Task) -> tuple[Tensor, dict[str, float]]:
        """The loss to go back from, and what to plot; the batch is on the network's device."""
        if isinstance(task.batch, ClipBatch):
            loss = clip_step(self.network, task.batch, self.recipe, task.step)
        else:
            loss = stills_step(self.network, task.batch, self.recipe, task.step)
        return loss.total + self._nothing(), loss.curves

    def _nothing(self) -> Tensor:
        """Zero, with a gradient of zero for every weight.

        Prompts differ, but processes must agree on which gradients they exchange. The backbone's blocks take part in
        every step anyway, and under FSDP have no weights between their calls.
        """
        between = [each for name, each in self.network.named_parameters() if ".blocks." not in name]
        return sum((each.sum() * 0 for each in between if each.requires_grad), start=between[0].new_zeros(()))
