"""What can be saved into a folder can be uploaded to a repository of the Hugging Face hub."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError

HUB_OPTIONS = ("repo_id", "token", "private", "revision", "commit_message")


class HubUploads:
    """Adds `push_to_hub` to a class with `save_pretrained(folder, **saving)`."""

    def push_to_hub(
        self,
        repo_id: str,
        *,
        token: str | None = None,
        private: bool | None = None,
        revision: str | None = None,
        commit_message: str | None = None,
        **saving: Any,
    ) -> str:
        """Upload what `save_pretrained` writes, and return the address of the commit.

        Args:
            repo_id: the repository `owner/name`, made if missing.
            token: of a user of the hub; default the one that `hf auth login` stored.
            private: of a new repository.
            revision: the branch; default the main one.
            commit_message: default "Upload" and the class.
            saving: arguments of `save_pretrained`.
        """
        from huggingface_hub import HfApi

        hub = HfApi(token=token)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder, **saving)  # type: ignore[attr-defined]
            full_id = hub.create_repo(repo_id, private=private, exist_ok=True).repo_id
            commit = hub.upload_folder(
                repo_id=full_id,
                folder_path=folder,
                revision=revision,
                commit_message=commit_message or f"Upload {type(self).__name__}",
            )
        return str(commit)

    def _push_saved(self, folder: str | os.PathLike[str], repo_id: str | None = None, **options: Any) -> None:
        """Upload under the name of the folder that was just saved to, unless another is given."""
        self.push_to_hub(repo_id or Path(folder).name, **options)


def check_hub_options(options: Mapping[str, Any]) -> None:
    """Raise `InvalidInputError` for arguments of `save_pretrained` that would change nothing in silence."""
    if unknown := [name for name in options if name not in HUB_OPTIONS]:
        raise InvalidInputError(
            f"save_pretrained does not know {', '.join(unknown)}; of an upload it takes {', '.join(HUB_OPTIONS)}."
        )
