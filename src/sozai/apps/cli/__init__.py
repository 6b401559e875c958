"""The command line: a question, then the object in hand."""

from sozai.apps.cli.application import app, main

__all__ = ["app", "main"]
