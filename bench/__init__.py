"""The benchmarks: API requests, bytes and seconds through the real engine: `make bench`."""
