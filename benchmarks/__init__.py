"""`make bench`: how long things take, how much memory and disk they need, and how that grows.

Everything runs as whole processes against a LeadPerfection on loopback. Only settings, commands and the functions of
`lp_pipeline.runs`, `transform` and `storage` that a sync itself calls are used, so that the program inside may change.
"""
