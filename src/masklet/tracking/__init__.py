"""Objects followed through a video: sessions, their memory, and the model that tracks."""
