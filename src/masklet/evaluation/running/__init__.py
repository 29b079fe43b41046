"""Items measured one by one, by several processes, in several goes."""
