"""The command line of the example: `mlops make`, `mlops count`."""

import sys
from pathlib import Path


def main() -> None:
    """Run one step."""
    verb, *arguments = sys.argv[1:]
    print(f"{verb} begins", flush=True)
    if verb == "make":
        rows, target = arguments
        if int(rows) < 0:
            raise ValueError("there are no fewer rows than none")
        if int(rows) > 1000:
            (Path(target) / "rows.txt").write_text("too many")
            sys.exit(1)
        (Path(target) / "rows.txt").write_text("row\n" * int(rows))
    else:
        source, target, *more = arguments
        count = sum(len(path.read_text().split()) for path in Path(source).rglob("*.txt"))
        (Path(target) / "count").mkdir()
        (Path(target) / "count" / "count.txt").write_text(" ".join([str(count), *more]))


if __name__ == "__main__":
    main()
