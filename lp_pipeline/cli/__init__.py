"""`lp-pipeline`: the commands, and what they show. What they do is elsewhere."""
