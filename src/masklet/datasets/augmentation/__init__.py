"""Augmentation that treats all frames of a clip, and images and masks, alike."""

from masklet.datasets.augmentation.clips import augmented
from masklet.datasets.augmentation.settings import Augmentation, ColourJitter

__all__ = ["Augmentation", "ColourJitter", "augmented"]
