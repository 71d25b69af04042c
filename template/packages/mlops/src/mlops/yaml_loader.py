"""YAML as this project's files use it."""

from datetime import date
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """YAML's safe loader, which here refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f"the key {twice[0]!r} stands twice in the block of line {line}")
        return dict(super().construct_mapping(node, deep))


def _day_or_text(loader: Loader, node: yaml.ScalarNode) -> date | str:
    """Return a day or a moment; what no calendar has stays text, which its setting refuses."""
    try:
        found: date = loader.construct_yaml_timestamp(node)
    except ValueError:
        return str(node.value)
    return found


Loader.add_constructor("tag:yaml.org,2002:timestamp", _day_or_text)
