"""How relations among columns are found, decided exactly and kept."""
