"""Pictures with exact object masks, made on the fly from a folder of photographs: endless training material."""

from masklet.datasets.scenes.bank import PictureBank
from masklet.datasets.scenes.clips import Clip, ClipGenerator, ClipMixture
from masklet.datasets.scenes.generator import Scene, SceneGenerator, SceneMixture
from masklet.datasets.scenes.mosaics import MosaicScenes

__all__ = [
    "Clip",
    "ClipGenerator",
    "ClipMixture",
    "MosaicScenes",
    "PictureBank",
    "Scene",
    "SceneGenerator",
    "SceneMixture",
]
