"""Hardware settings: precision, gradient accumulation, gradient checkpointing, sharding."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Literal

from masklet.configuration import Sam2Config
from masklet.datasets.sampling.mixture import DataMixture
from masklet.datasets.scenes import ClipMixture, SceneMixture
from masklet.errors import InvalidInputError
from masklet.training.settings.learning import ImageEncoderRates, LowRank, Regularization
from masklet.training.settings.procedure import AnnotatorShares, ClipTracking, LossWeights, PromptShares
from masklet.training.settings.ranges import require_numbers
from masklet.training.settings.stages import PARTS, ClipStage, Part, Stage

Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Hardware:
    """Precision, gradient accumulation and memory of the steps; changes no result but by rounding.

    Attributes:
        precision: of products, beside float32 weights; "auto" is bfloat16 where that is faster.
        micro_batches_per_step: into how many micro-batches a step is divided. A process computes its own one after
            another (gradient accumulation), so the number of processes changes nothing. 1: as many as processes.
        gradient_checkpointing: compute the image encoder's blocks again in the backward pass, to save memory.
        is_sharded: divide weights and optimizer among several processes (FSDP) instead of copying them to each (DDP);
            a single process is refused.
        needs_gpu: refuse to run on a processor.
    """

    precision: Precision = "auto"
    micro_batches_per_step: int = 1
    gradient_checkpointing: bool = False
    is_sharded: bool = False
    needs_gpu: bool = False

    def __post_init__(self) -> None:
        require_numbers(self, "micro_batches_per_step", at_least=1)


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a training run, apart from the machine.

    Attributes:
        name: the name that `masklet train` knows it by.
        model: the network's configuration; its image size follows from the stages.
        stages: what is trained on, one after the other.
        image_folders: images to make procedural scenes (synthetic data) of.
        panoptic_folder: labelled images for the same, in COCO's panoptic format.
        data: annotated data and its part in the run; without any, all is procedural.
        mixture: kinds of procedural scenes.
        mosaic: the fraction of procedural scenes that show four of half the size, and with them smaller objects.
        object_crops: the fraction of all images that show one object and its surroundings, enlarged.
        clip_mixture: kinds of procedural clips.
        initial_weights: the checkpoint to start from (a folder, file or hub id); None: random weights.
        prompt_rounds: prompts that an object of an image gets: the first, then corrective clicks.
        learning_rate: warms up linearly and falls along a cosine to `final_learning_rate`.
        final_learning_rate: at the end of the run.
        warmup_steps: of the learning rate.
        weight_decay: AdamW's.
        gradient_clip: the largest norm of the gradient.
        ema_decay: of the EMA weights (exponential moving average), which are what a run is for.
        image_encoder: its own learning rates.
        frozen: parts of the network that stay as they begin.
        hardware: how steps are computed.
        losses: weights of the loss terms.
        prompts: kinds of first prompts on images.
        annotator: chance in simulated prompts.
        tracking: prompting and tracking of clips.
        regularization: stochastic depth and dropout.
        lora: low-rank adapters; None trains the weights themselves.
        seed: of all chance of the run.
        first_scene: number of the first procedural scene and clip.
        loader_workers: processes that make batches.
        save_every: steps from one saved state to the next.

    Example:
        >>> from dataclasses import replace
        >>> from pathlib import Path
        >>> from masklet import recipe_named
        >>> replace(recipe_named("smoke", Path("assets")), learning_rate=1e-4).learning_rate
        0.0001
    """

    name: str
    model: Sam2Config
    stages: tuple[Stage, ...]
    image_folders: tuple[Path, ...]
    panoptic_folder: Path | None = None
    data: DataMixture = field(default_factory=DataMixture)
    mixture: SceneMixture = field(default_factory=SceneMixture)
    mosaic: float = 0.0
    object_crops: float = 0.0
    clip_mixture: ClipMixture = field(default_factory=ClipMixture)
    initial_weights: str | Path | None = None
    prompt_rounds: int = 3
    learning_rate: float = 8e-4
    final_learning_rate: float = 1e-5
    warmup_steps: int = 300
    weight_decay: float = 0.05
    gradient_clip: float = 1.0
    ema_decay: float = 0.998
    image_encoder: ImageEncoderRates = field(default_factory=ImageEncoderRates)
    frozen: tuple[Part, ...] = ()
    hardware: Hardware = field(default_factory=Hardware)
    losses: LossWeights = field(default_factory=LossWeights)
    prompts: PromptShares = field(default_factory=PromptShares)
    annotator: AnnotatorShares = field(default_factory=AnnotatorShares)
    tracking: ClipTracking = field(default_factory=ClipTracking)
    regularization: Regularization = field(default_factory=Regularization)
    lora: LowRank | None = None
    seed: int = 0
    first_scene: int = 0
    loader_workers: int = 1
    save_every: int = 500

    def __post_init__(self) -> None:
        require_numbers(
            self,
            *("final_learning_rate", "warmup_steps", "weight_decay", "seed", "first_scene", "loader_workers"),
            at_least=0,
        )
        require_numbers(self, "prompt_rounds", "save_every", at_least=1)
        require_numbers(self, "learning_rate", "gradient_clip", above=0)
        require_numbers(self, "ema_decay", at_least=0, below=1)
        require_numbers(self, "mosaic", "object_crops", at_least=0, at_most=1)
        if not self.stages:
            raise InvalidInputError("Recipe.stages is empty; give at least one.")
        self._check_parts()

    def _check_parts(self) -> None:
        if not set(self.frozen) <= set(PARTS):
            raise InvalidInputError(f"frozen={', '.join(self.frozen)}; there are {', '.join(PARTS)}.")
        for number, stage in enumerate(self.stages):
            for on_clips in stage.kinds_of_steps:
                if set(PARTS) == {*self.frozen, *stage.frozen_parts(on_clips)}:
                    what = "clips" if on_clips else "images"
                    raise InvalidInputError(
                        f"frozen={', '.join(self.frozen)}: steps on {what} of stage {number} would train nothing."
                    )

    @property
    def total_steps(self) -> int:
        """The steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def end_of_stage(self, step: int) -> int:
        """Return how many steps are done when the stage of a step (from 0) ends."""
        ends = accumulate(stage.steps for stage in self.stages)
        return next((end for end in ends if end > step), self.total_steps)

    def scenes_before(self, step: int) -> int:
        """Count the scenes of the steps before this one, so that every scene of a run has a number of its own."""
        return sum(stage.scenes_in(steps) for stage, steps in self._stages_before(step))

    def clips_before(self, step: int) -> int:
        """Count the clips of the steps before this one."""
        return sum(stage.clips_in(steps) for stage, steps in self._stages_before(step))

    def _stages_before(self, step: int) -> Iterator[tuple[Stage, range]]:
        """Yield the stages with those of their steps that come before this one."""
        begin = 0
        for stage in self.stages:
            yield stage, range(begin, max(begin, min(begin + stage.steps, step)))
            begin += stage.steps

    @property
    def first_clip_step(self) -> int | None:
        """The step (from 0) at which the first stage on clips begins; None without any."""
        kinds = [isinstance(stage, ClipStage) for stage in self.stages]
        return sum(stage.steps for stage in self.stages[: kinds.index(True)]) if any(kinds) else None

    def stage_at(self, step: int) -> Stage:
        """Return the stage of a step (from 0); the last one from the end on."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        return self.stages[-1]
