"""The network that a run trains: built, initialised, divided into parts, adapted."""
