"""What runs the network: the protocol that trackers and segmenters stand on, and what is computed between its verbs."""
