"""One page about what serves: `mlops report`."""
