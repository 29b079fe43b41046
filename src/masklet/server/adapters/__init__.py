"""Other annotation tools take masklet as their model: their protocols as functions from one body to another."""
