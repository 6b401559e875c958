"""Textbook mathematics that knows nothing of materials."""
