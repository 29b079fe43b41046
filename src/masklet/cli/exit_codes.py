"""The exit codes of `masklet`, and which error gives which."""

from enum import IntEnum

from masklet.errors import is_out_of_memory


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    SOME_FAILED = 1
    WRONG_USAGE = 2
    FILE_PROBLEM = 3
    OUT_OF_MEMORY = 4
    FAULT = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
    TERMINATED = 143  # 128 + SIGTERM


EXPLANATION = (
    "Exit codes: 0 done; 1 some of several inputs failed, the others are done; "
    "2 wrong usage: options or prompts that cannot be used; "
    "3 an image, checkpoint or other file that cannot be read or written; "
    "4 not enough memory, of the machine or of a GPU; "
    "70 a fault in masklet itself; 130 interrupted; 143 terminated (SIGTERM)."
)


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code for a command that ended by `error`.

    Errors of files come first: `CheckpointError` and `UnreadableImageError` are both OSError and ValueError.
    """
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if is_out_of_memory(error):
        return ExitCode.OUT_OF_MEMORY
    if isinstance(error, OSError):
        return ExitCode.FILE_PROBLEM
    if isinstance(error, ValueError) or is_usage_error(error):
        return ExitCode.WRONG_USAGE
    return ExitCode.FAULT


def is_usage_error(error: BaseException) -> bool:
    """Whether the command line parser raised `error`; the home of its classes differs between typer's versions."""
    return hasattr(error, "format_message")
