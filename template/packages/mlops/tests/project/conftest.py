"""Checks of the project that the machinery is part of; the template itself is not one yet."""

from fakes.places import IS_RENDERED

collect_ignore_glob = [] if IS_RENDERED else ["test_*.py"]
