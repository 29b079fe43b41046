"""The network in files of other programs: graphs of a runtime's verbs, compared with the network before they count."""
