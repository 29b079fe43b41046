"""From datasets and procedural scenes to the batches of steps."""
