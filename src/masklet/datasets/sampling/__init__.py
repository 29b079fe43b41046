"""The order of recorded and procedural samples, which follows from a seed and a number."""

from masklet.datasets.sampling.clip_sampling import ClipSampling
from masklet.datasets.sampling.mixing import ClipSource, MixedClips, MixedScenes, SceneSource
from masklet.datasets.sampling.mixture import DataMixture
from masklet.datasets.sampling.object_crops import ObjectCrops
from masklet.datasets.sampling.recorded_clips import RecordedClips
from masklet.datasets.sampling.recorded_images import FramesAsImages, RecordedImages
from masklet.datasets.sampling.skipped import SkippedSample, SkippedSamples

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
