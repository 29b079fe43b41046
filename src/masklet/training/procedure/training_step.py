"""A training step as one call of one module, so that DDP and FSDP see all that it does."""

from torch import Tensor, nn

from masklet.modeling.video_network import VideoNetwork
from masklet.training.procedure.clip_step import clip_step
from masklet.training.procedure.image_step import image_step
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.image_batches import SceneBatch

Batch = SceneBatch | ClipBatch


class MicroBatch:
    """A batch and the numbers of its step and of the micro-batch in that.

    A plain object: Fabric would round the tensors of others.
    """

    def __init__(self, batch: Batch, step: tuple[int, int]) -> None:
        self.batch, self.step = batch, step


class TrainingStep(nn.Module):
    """The network under a recipe: a micro-batch in, its loss out."""

    def __init__(self, network: VideoNetwork, recipe: Recipe) -> None:
        super().__init__()
        self.network, self.recipe = network, recipe

    def forward(self, micro_batch: MicroBatch) -> tuple[Tensor, dict[str, float]]:
        """Compute the loss to go back from, and the metrics; the batch is on the network's device."""
        if isinstance(micro_batch.batch, ClipBatch):
            loss = clip_step(self.network, micro_batch.batch, self.recipe, micro_batch.step)
        else:
            loss = image_step(self.network, micro_batch.batch, self.recipe, micro_batch.step)
        return loss.total + self._touch_all_parameters(), loss.metrics

    def _touch_all_parameters(self) -> Tensor:
        """Return zero, with a gradient of zero for every weight.

        Prompts differ, but processes must agree on which gradients they exchange. The backbone's blocks take part in
        every step anyway, and under FSDP have no weights between their calls.
        """
        between = [each for name, each in self.network.named_parameters() if ".blocks." not in name]
        return sum((each.sum() * 0 for each in between if each.requires_grad), start=between[0].new_zeros(()))
