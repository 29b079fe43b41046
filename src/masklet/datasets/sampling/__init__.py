"""The order of recorded and procedural samples, which follows from a seed and a number."""

from masklet.datasets.sampling.epoch_order import SkippedSample, SkippedSamples
from masklet.datasets.sampling.mixture import ClipSource, DataMixture, MixedClips, MixedScenes, ObjectCrops, SceneSource
from masklet.datasets.sampling.recorded_clips import ClipSampling, RecordedClips
from masklet.datasets.sampling.recorded_images import FramesAsImages, RecordedImages

__all__ = [
    "ClipSampling",
    "ClipSource",
    "DataMixture",
    "FramesAsImages",
    "MixedClips",
    "MixedScenes",
    "ObjectCrops",
    "RecordedClips",
    "RecordedImages",
    "SceneSource",
    "SkippedSample",
    "SkippedSamples",
]
