import errno

import pytest

from masklet.cli.exit_codes import EXPLANATION, ExitCode, report_error
from masklet.errors import CheckpointError, InvalidInputError, UnreadableImageError


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InvalidInputError("a\n  b"), ExitCode.WRONG_USAGE, "Error: a b\n"),
        (CheckpointError("no file"), ExitCode.FILE_PROBLEM, "Error: no file\n"),
        (UnreadableImageError("no image"), ExitCode.FILE_PROBLEM, "Error: no image\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "out/a.png"),
            3,
            "Error: out/a.png: No space left on device\n",
        ),
        (OSError(errno.EIO, "Input/output error"), 3, "Error: Input/output error\n"),
        (
            RuntimeError("CUDA out of memory. Tried to allocate 9 GiB."),
            ExitCode.OUT_OF_MEMORY,
            "Error: not enough memory; a smaller --image-size or another --device may help "
            "(CUDA out of memory. Tried to allocate 9 GiB.)\n",
        ),
        (
            MemoryError(),
            ExitCode.OUT_OF_MEMORY,
            "Error: not enough memory; a smaller --image-size or another --device may help\n",
        ),
        (InvalidInputError("x.png is about 'out of memory'"), 2, "Error: x.png is about 'out of memory'\n"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "Error: interrupted; files that were not complete are removed.\n"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(capsys, error, code, line):
    assert report_error(error, debug=False) == code
    assert capsys.readouterr() == ("", line)


def test_the_subject_stands_in_front_unless_the_message_has_it(capsys):
    report_error(InvalidInputError("a point is outside"), debug=False, subject="a.jpg")
    report_error(InvalidInputError("a.jpg is outside"), debug=False, subject="a.jpg")
    assert capsys.readouterr().err == "Error: a.jpg: a point is outside\nError: a.jpg is outside\n"


@pytest.mark.parametrize(("error", "debug"), [(ValueError("seven"), True), (TypeError("seven"), False)])
def test_debugging_and_faults_show_the_traceback(capsys, error, debug):
    def culprit():
        raise error

    with pytest.raises(type(error)) as caught:
        culprit()
    report_error(caught.value, debug=debug)
    text = capsys.readouterr().err
    assert "in culprit" in text
    assert text.splitlines()[-1].startswith("Error: ")


def test_a_fault_asks_for_a_report(capsys):
    assert report_error(KeyError("seven"), debug=False) == ExitCode.FAULT
    assert "please report it: KeyError: 'seven'" in capsys.readouterr().err


def test_the_help_explains_every_exit_code():
    for code in ExitCode:
        assert f"{code.value} " in EXPLANATION
