"""What a step does: prompts, answers, losses, on stills and on clips."""
