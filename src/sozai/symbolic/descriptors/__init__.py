"""How products and symmetric sums of columns are made."""
