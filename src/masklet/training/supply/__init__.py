"""From datasets and procedural scenes to the batches of steps, with what is asked for in them."""
