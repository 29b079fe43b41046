"""Reports of a training run: log, curves, predictions, measurements and an HTML page of all of it."""
