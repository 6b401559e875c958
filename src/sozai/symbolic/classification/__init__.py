"""Formulas that tell classes apart: cuts of a line, overlap of hulls, logistic boundaries, accuracy."""
