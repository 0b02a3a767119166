# Tests work on small data. Every parallel region is opened nevertheless.
covertree:::region_seconds(0)
