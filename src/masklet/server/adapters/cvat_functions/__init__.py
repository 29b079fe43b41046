"""Functions for `cvat-cli --function-file`: each file has `create`, which takes what `-p NAME=TYPE:VALUE` gives."""
