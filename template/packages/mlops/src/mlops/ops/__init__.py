"""What people run by hand: the whole loop, status, doctor, the page of MLflow."""
