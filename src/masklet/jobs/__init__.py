"""Long work that is saved as it goes and taken up again; whoever calls it draws progress and catches signals."""
