import signal
import subprocess
import sys

import pytest

from masklet.cli.interruption import noticed_interruption


@pytest.fixture(autouse=True)
def _interrupts_count():
    """Jobs in the background of a shell are started with interrupts ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interruption_is_noticed_the_second_interrupts(number):
    before = signal.getsignal(number)
    with noticed_interruption() as interruption:
        assert not interruption.was_asked_for
        signal.raise_signal(number)
        assert interruption.was_asked_for
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(number) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_temporary_folders_go_when_the_process_is_terminated(tmp_path):
    program = (
        "import signal\n"
        "from masklet.cli.interruption import exit_when_terminated\n"
        "from masklet.tracking.retention import Archives\n"
        "exit_when_terminated()\n"
        f"archives = Archives({str(tmp_path)!r})\n"
        "assert archives.folder.is_dir()\n"
        "signal.raise_signal(signal.SIGTERM)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())
