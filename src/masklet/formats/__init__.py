"""The files of other tools: masks of images and videos, as these write and read them."""
