"""Drills: pushes that are killed, and answers that get lost, by the hundred (`make drills`)."""
