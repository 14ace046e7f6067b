"""`python -m tests.golden --update` draws the cards of tests/cards.py anew; without the flag it says which differ."""

import sys

from tests.drawings import drawings

if __name__ == "__main__":
    stale = [path for path, drawn in drawings().items() if not path.exists() or path.read_text() != drawn]
    for path in stale:
        sys.stdout.write(f"{path.name}\n")
        if "--update" in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(drawings()[path])
    sys.exit(1 if stale and "--update" not in sys.argv else 0)
