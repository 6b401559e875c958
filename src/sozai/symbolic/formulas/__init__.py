"""An expression as integers: building, reading, evaluating and writing it."""
