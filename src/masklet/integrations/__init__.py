"""Results as values of other programs, whose libraries are imported when they are needed."""
