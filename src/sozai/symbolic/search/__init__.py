"""Millions of candidate formulas, screened without storing them."""
