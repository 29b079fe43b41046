"""What the labels of points mean, to the network and to everybody who prompts it."""

NEGATIVE, POSITIVE = 0, 1  # off and on the object
# Corners of a box are points too.
BOX_LABELS = BOX_UPPER_LEFT, BOX_LOWER_RIGHT = 2, 3
NOT_A_POINT = -1
PADDING = -10  # also each coordinate of a box that is padding
