"""Which terms belong into a law, and how honest its scores are."""
