"""The sandbox's Hatch: upserts, exports, and generated conversations."""
