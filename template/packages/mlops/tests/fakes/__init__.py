"""Stand-ins and made-up projects that several tests use."""
