"""The rules of staging and merging (SPEC F, J, M, E4)."""
