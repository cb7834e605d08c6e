"""What a service costs: the bill as a series, and the days of it on which something is not as it was.

billing export ─► charges ─► a series, one value a day ─► detector ─► findings ─► who is told: `incidents`
"""
