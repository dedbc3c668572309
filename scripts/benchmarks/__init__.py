"""What `make bench` measures: the engine against other people's tools, on the same work in the same run."""
