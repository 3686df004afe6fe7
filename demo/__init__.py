"""The main job, shown on the embedded emulator through the real engine: `make demo`."""
