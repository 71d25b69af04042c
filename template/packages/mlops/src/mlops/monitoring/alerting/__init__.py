"""What follows an alarm: who is told, what is done, and what is remembered of it."""
