"""The earlier names of a recipe's fields, which `--set` and `run.json` may still have."""

OLDER_NAMES = {
    "picture_folders": "image_folders",
    "near_views": "object_crops",
    "rounds": "prompt_rounds",
    "average_decay": "ema_decay",
    "data.stills": "data.images",
    "mixture.labelled_photograph": "mixture.labelled_image",
    "mixture.round_things": "mixture.round_objects",
    "clip_mixture.labelled_photograph": "clip_mixture.labelled_image",
    "stages.*.stills_every": "stages.*.images_every",
    "hardware.shares_per_step": "hardware.micro_batches_per_step",
    "hardware.checkpoints_gradients": "hardware.gradient_checkpointing",
    "losses.close_up": "losses.cropped",
    "annotator.deepest": "annotator.center_click",
    "annotator.truth": "annotator.from_ground_truth",
}
"""From the earlier dotted name of a field or a group of fields to today's; * is any number of a stage."""


def todays_name(name: str) -> str:
    """Replace an earlier dotted name of a field by today's; any other name is returned as it is."""
    parts = name.split(".")
    for older, newer in OLDER_NAMES.items():
        pattern = older.split(".")
        if len(pattern) <= len(parts) and all(each in ("*", part) for each, part in zip(pattern, parts, strict=False)):
            named = [part if each == "*" else each for each, part in zip(newer.split("."), parts, strict=False)]
            return ".".join([*named, *parts[len(pattern) :]])
    return name
