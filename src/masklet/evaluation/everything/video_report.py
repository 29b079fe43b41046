"""The results of the evaluation of everything in videos."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from masklet.evaluation.measured_item import mean_values
from masklet.evaluation.reporting.report import percent
from masklet.evaluation.vos.report import J_AND_F, VosReport

BEST, PROMPTED = "J&F of the best track", "J&F prompted"
TRACKS, COVERED = "tracks", "covered"
KEPT, SWITCHES, FRAGMENTS, DELAY = "kept", "switches", "fragments", "delay"
SHOWN = {"J&F": J_AND_F, "best": BEST, "prompted": PROMPTED}


@dataclass(frozen=True)
class EverythingVideoReport(VosReport):
    """What one predictor reached on each video; the means are over all objects, as DAVIS ranks by."""

    title: ClassVar[str] = "Everything in videos, by DAVIS' unsupervised protocol"

    def shown(self) -> dict[str, str]:
        """Return J&F of the assigned tracks, of the best track, and of the prompted model."""
        return {heading: measure for heading, measure in SHOWN.items() if measure in self.means}

    def amounts_shown(self) -> dict[str, Callable[[float], str]]:
        """Return tracks a video, and how objects keep them; what else was counted is in `to_dict`.

        The latter are the share of an object's frames that its best track is on, switches to another track and gaps
        per 100 of its frames, and the frames from its appearance to the first that a track is on.
        """
        number = "{:.1f}".format
        return {TRACKS: number, KEPT: percent, SWITCHES: number, FRAGMENTS: number, DELAY: number}

    def to_dict(self) -> dict[str, Any]:
        """Return what `VosReport` does, and the further measures and amounts, of each video, too."""
        content = super().to_dict()
        sequences = [
            sequence | {"scores": self._shown_of(mean_values([item])), "amounts": item.amounts}
            for sequence, item in zip(content["sequences"], self.items, strict=True)
        ]
        scores = content["scores"] | self._shown_of(self.means)
        return content | {"sequences": sequences, "scores": scores, "amounts": self.amounts}

    def _shown_of(self, means: Mapping[str, float]) -> dict[str, float]:
        return {measure: means[measure] for measure in self.shown().values() if measure in means}
