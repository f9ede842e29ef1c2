"""One authorised, time-bounded, geographically limited use: application to end."""
