"""What people ask, complain of and must be told: requests, complaints, breaches, with their clocks.

No event says who asked, what was asked in words, or whether anybody was listed: that is kept
where the force keeps its cases. An event says that a request came, by when it must be answered,
and that it was.
"""
