# Opens every parallel region, although the tests work on small data.
covertree:::region_seconds(0)
