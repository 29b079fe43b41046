"""Supply of batches: from datasets and procedural scenes to the micro-batches of steps, with prompts and targets."""
