"""Comparisons with other libraries: one table each, all libraries interleaved in one run."""
