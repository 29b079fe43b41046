"""The lanes of a device: one unit at a time, errors to whoever waits."""

import threading
from concurrent.futures import CancelledError

import pytest

from masklet.server.fairness import Urgency
from masklet.server.problems import Problem
from masklet.server.scheduler import Device


def test_units_wait_for_the_one_at_hand_and_keep_their_order() -> None:
    device, gate, order = Device(), threading.Event(), []
    device.steps.submit("ann", Urgency.PERSON, gate.wait)
    waiting = [device.steps.submit("ann", Urgency.PERSON, lambda name=name: order.append(name)) for name in "abc"]
    assert device.steps.waiting()[Urgency.PERSON] >= 3
    assert order == []
    gate.set()
    for each in waiting:
        each.result(20)
    assert order == ["a", "b", "c"]
    device.close()


def test_answers_do_not_wait_for_steps() -> None:
    device, gate = Device(), threading.Event()
    step = device.steps.submit("ann", Urgency.TRACK, gate.wait)
    assert device.answers.run("bob", Urgency.PERSON, lambda: 7) == 7
    assert not step.done()
    gate.set()
    assert step.result(timeout=10)  # closed before it began, the lane would cancel it
    device.close()
    assert device.milliseconds.keys() == {"ann", "bob"}


def test_errors_and_the_end() -> None:
    device, gate = Device(), threading.Event()
    with pytest.raises(ZeroDivisionError):
        device.steps.run("ann", Urgency.PERSON, lambda: 1 // 0)
    device.steps.submit("ann", Urgency.PERSON, gate.wait)
    left = device.steps.submit("ann", Urgency.PERSON, lambda: 1)
    closing = threading.Thread(target=device.steps.close)
    closing.start()
    while not device.steps.is_closed:
        pass
    gate.set()
    closing.join(20)
    with pytest.raises(CancelledError):
        left.result(20)
    with pytest.raises(Problem, match="too much to do"):
        device.steps.run("ann", Urgency.PERSON, lambda: 1)
    device.answers.close()
