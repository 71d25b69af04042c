"""What the team's package must define, and what of it is still a stub."""
