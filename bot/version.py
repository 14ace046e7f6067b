"""The version, where the build and the command line both find it without loading anything else."""

VERSION = "0.1.0"
