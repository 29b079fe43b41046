"""JSON files of annotations."""

import json
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError


def read_annotation_json(path: Path) -> Any:
    """Return what a JSON file holds; InvalidInputError, naming the file, if it is missing or no JSON."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidInputError(f"{path} does not exist.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not JSON ({error}).") from error
