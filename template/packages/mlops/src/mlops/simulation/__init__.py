"""`mlops simulate`: a year of the closed loop, in a folder of its own and by the usual commands."""
