"""Measured items and reports for tests."""

from masklet.evaluation.images.measurement import ImageReport
from masklet.evaluation.measured_item import MeasuredItem
from masklet.evaluation.vos.report import VosReport, vos_values
from masklet.evaluation.vos.scores import FrameScores


def item(name, dataset, **values):
    """An item of as many objects as each of `values` has; "one_click" is the measure "1 click"."""
    named = {each.replace("one_click", "1 click"): tuple(of_objects) for each, of_objects in values.items()}
    return MeasuredItem(name, dataset, 1, tuple(range(len(next(iter(named.values()), ())))), named)


def image_report(predictor="ours", add=0.0):
    """Two datasets of two images; every value is `add` higher."""
    items = (
        item("nuts/0", "nuts", one_click=(0.2 + add, 0.4 + add), box=(0.7 + add, 0.8 + add)),
        item("nuts/1", "nuts", one_click=(0.6 + add,), box=(0.9 + add,)),
        item("cars/0", "cars", one_click=(0.1 + add,), box=(0.5 + add,)),
        item("cars/1", "cars", one_click=(0.5 + add,), box=(0.6 + add,)),
    )
    return ImageReport(predictor, items)


def sequence(name, *objects, frames=20):
    """A video, each of its objects given by J and F in all frames."""
    values = [vos_values([FrameScores(j, f, True, True)] * frames) for j, f in objects]
    by_measure = {each: tuple(of[each] for of in values) for each in values[0]}
    return MeasuredItem(name, "videos", frames, tuple(range(1, len(objects) + 1)), by_measure)


def vos_report(predictor="flow"):
    """A video of one object and one of two."""
    return VosReport(predictor, (sequence("swan", (0.5, 0.25)), sequence("pair", (1.0, 0.5), (0.6, 0.3))))
