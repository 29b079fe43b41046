"""Waiting for a device."""

import torch
from tests.support.host_waits import HostWaits

from masklet.transfers import wait_for


def test_a_device_is_waited_for_and_only_when_asked() -> None:
    with HostWaits() as waits:
        work = torch.ones(3, device="meta") + 1
        assert not waits.counts
        wait_for(work.device)
    assert waits.counts.total() == 1
