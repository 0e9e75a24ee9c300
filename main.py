"""Start the studio: `python main.py`."""

if __name__ == "__main__":
    # Imported here, because model processes import this file again and need no window.
    from studio.app import main

    raise SystemExit(main())
