"""Care of a data folder: housekeeping, backup and restore, erasing one person."""
