"""The Dagster UI as people use it, in a real browser against a real `lp-pipeline dev`."""
