"""Pictures: masks from clicks and from boxes."""
