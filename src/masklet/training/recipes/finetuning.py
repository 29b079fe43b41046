"""Recipes that fine-tune a checkpoint on annotated data: all of it, or low-rank adapters."""

from dataclasses import replace

from masklet.training.recipes.ingredients import Ingredients
from masklet.training.settings.learning import ImageEncoderRates, LowRank, Regularization
from masklet.training.settings.procedure import AnnotatorShares, PromptShares
from masklet.training.settings.recipe import Hardware, Recipe
from masklet.training.settings.stages import ClipStage, Stage

MOST_PIXELS_OF_CLIPS = 512


def finetune_image(given: Ingredients) -> Recipe:
    """Fine-tune a checkpoint on annotated images; what it knows of videos stays.

    Images without annotations among the data are material for procedural scenes, which weigh as much as an annotated
    root and keep it from forgetting other kinds of images.
    """
    model = given.checkpoint_config()
    return Recipe(
        name="finetune-image",
        model=model,
        initial_weights=given.checkpoint,
        stages=(Stage(model.image_size, steps=300, scenes_per_step=4, objects_per_scene=8),),
        image_folders=given.images,
        data=given.data,
        losses=given.checkpoint_losses(),
        frozen=("memory",),
        prompt_rounds=3,
        prompts=PromptShares(click=0.5, box=0.45, mask=0.05),
        annotator=AnnotatorShares(center_click=0.6, from_ground_truth=0.0, loose_box=0.4),
        learning_rate=1e-4,
        final_learning_rate=1e-6,
        warmup_steps=20,
        ema_decay=0.99,
        image_encoder=ImageEncoderRates(layer_decay=0.9),
        save_every=100,
    )


def finetune_video(given: Ingredients) -> Recipe:
    """Fine-tune a checkpoint on annotated videos as in the SAM 2 paper (appendix D.2), 8 frames at a time.

    Annotated images among the data, or else single frames, make every fourth step. At most 512 pixels wide, which is
    what lets the smallest released model train in 8 GB; `stages.0.image_size` changes it.
    """
    model = given.checkpoint_config()
    return Recipe(
        name="finetune-video",
        model=model,
        initial_weights=given.checkpoint,
        stages=(
            ClipStage(
                min(model.image_size, MOST_PIXELS_OF_CLIPS),
                steps=1000,
                scenes_per_step=2,
                objects_per_scene=8,
                clip_length=8,
                clips_per_step=1,
                objects_per_clip=3,
                images_every=4,
            ),
        ),
        image_folders=given.images,
        data=given.data,
        losses=given.checkpoint_losses(),
        learning_rate=5e-5,
        final_learning_rate=1e-6,
        warmup_steps=50,
        ema_decay=0.99,
        image_encoder=ImageEncoderRates(learning_rate=3e-5, layer_decay=0.9),
        regularization=Regularization(drop_path=0.1, memory_dropout=0.1),
        hardware=Hardware(gradient_checkpointing=True),
        save_every=100,
    )


def lora(given: Ingredients) -> Recipe:
    """Train low-rank adapters beside a frozen checkpoint: on clips if the data has videos, else on images."""
    recipe = finetune_video(given) if given.holds_videos else finetune_image(given)
    return replace(
        recipe,
        name="lora",
        lora=LowRank(rank=16, alpha=32.0),
        frozen=(),
        # Adapters begin at nothing and have far fewer weights than what they steer.
        learning_rate=1e-3,
        image_encoder=ImageEncoderRates(),
        weight_decay=0.0,
        hardware=Hardware(gradient_checkpointing=True),
    )
