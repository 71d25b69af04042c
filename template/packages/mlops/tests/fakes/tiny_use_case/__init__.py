"""A use case of the machinery's own: readings of machines, some of which will raise an alarm."""
