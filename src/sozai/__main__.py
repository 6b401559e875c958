"""Run the command line with ``python -m sozai``."""

from sozai.apps.cli import main

if __name__ == "__main__":
    main()
