"""Side by side with the peers: one table each, all peers interleaved in one run."""
