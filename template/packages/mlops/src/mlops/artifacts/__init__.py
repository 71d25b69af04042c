"""What the folders of runs and versions hold: the only place that spells their names."""
