"""The command line: `masklet segment`, `evaluate`, `train`, `convert`, `info`. One file per command."""
