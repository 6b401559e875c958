"""What everything promises: errors, checks, tables, units, files and parallel chunks."""
