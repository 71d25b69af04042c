"""Signatures of version folders: who signs, whose signature counts, what was altered."""
