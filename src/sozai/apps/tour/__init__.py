"""The tour: every method on real data, beside the published figure."""
