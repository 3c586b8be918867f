"""The sandbox's Hatch: upserts, exports, and the conversations that people have there."""
