"""The errors a caller may want to distinguish; each is also the built-in kind that a caller would expect."""

import errno


class InvalidInputError(ValueError):
    """An argument, prompt or image that masklet cannot use; the message names what was given and what is allowed.

    Example:
        >>> import masklet
        >>> try:
        ...     masklet.read_image("assets/truck.jpg", bands=(1, 2))
        ... except masklet.InvalidInputError as error:
        ...     print(type(error).__name__)
        InvalidInputError
    """


class InvalidMaskError(InvalidInputError, TypeError):
    """Masks of a kind that cannot be post-processed; earlier APIs raised either of both built-in kinds."""


class CheckpointError(OSError, ValueError):
    """A checkpoint that is missing, unreadable, unsafe or does not fit the model; the message lists what is wrong."""


class DamagedSessionError(CheckpointError, InvalidInputError):
    """A folder without a saved session, or one whose files are not what was saved; the message names them."""


class UnreadableImageError(OSError, ValueError):
    """A file that is not a readable image."""


class UnreadableVideoError(OSError, ValueError):
    """A file, folder or stream that is not a readable video."""


class OtherProgramWarning(UserWarning):
    """A network was saved in files of another program that cannot run it; the message gives the reason."""


class DivergedTrainingError(InvalidInputError, ArithmeticError):
    """A training run whose loss is no longer finite; the message names the folder to replay its step from."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory, of the machine or of a GPU, was not enough; torch has no one type for it."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    is_of_torch = isinstance(error, RuntimeError) and not isinstance(error, ValueError)
    return is_of_torch and any(text in str(error) for text in ("out of memory", "allocate memory", "bad_alloc"))
