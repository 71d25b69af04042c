"""Small scripts that make, write or list things for this repository."""
