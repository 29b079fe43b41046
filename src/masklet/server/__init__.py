"""The studio's server: projects, uploads, commands and tracking over HTTP and WebSocket."""
