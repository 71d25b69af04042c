"""Write what is made of template/observability/*.yaml, as a project does it for itself."""

from pathlib import Path

from mlops.monitoring.rules.generated import differences, generated, write

TEMPLATE = Path(__file__).resolve().parents[1] / "template"


def main() -> None:
    """Write the files that differ, and name them."""
    files = generated(TEMPLATE)
    found = differences(TEMPLATE, files)
    write(TEMPLATE, files, found)
    for name in (*found.changed, *found.left_over):
        print(name)


if __name__ == "__main__":
    main()
