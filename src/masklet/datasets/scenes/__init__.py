"""The procedural world: synthetic images and clips with exact object masks, drawn on the fly."""

from masklet.datasets.scenes.bank import ImageBank
from masklet.datasets.scenes.clips import Clip, ClipGenerator, ClipMixture
from masklet.datasets.scenes.generator import MosaicScenes, Scene, SceneGenerator, SceneMixture

PictureBank = ImageBank  # its earlier name

__all__ = [
    "Clip",
    "ClipGenerator",
    "ClipMixture",
    "ImageBank",
    "MosaicScenes",
    "PictureBank",
    "Scene",
    "SceneGenerator",
    "SceneMixture",
]
