"""Segmentation of images from clicks and from boxes."""
