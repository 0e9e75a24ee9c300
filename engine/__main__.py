"""`python -m engine`: every task from a terminal."""

from engine.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
