"""Long work that is saved as it goes and can be resumed; progress and signals are the caller's."""
