"""What a run leaves for people: a log, curves, pictures of predictions and a page that shows all of it."""
