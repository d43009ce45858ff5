"""Measurements: each prints times beside the bare SQL for the same answer, and query counts, from one run."""
