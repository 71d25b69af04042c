"""A use case of several classes: which of three growers is a wine of? One row is one wine."""
