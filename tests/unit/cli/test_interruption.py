import signal

import pytest

from masklet.cli.interruption import noticed_interruption


@pytest.fixture(autouse=True)
def _interrupts_count():
    """Jobs in the background of a shell are started with interrupts ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def test_the_first_interruption_is_noticed_the_second_interrupts():
    with noticed_interruption() as interruption:
        assert not interruption.was_asked_for
        signal.raise_signal(signal.SIGINT)
        assert interruption.was_asked_for
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
