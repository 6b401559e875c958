"""The parts of a prediction for a table: scale of the target, models, folds, blocks of columns, domain."""
