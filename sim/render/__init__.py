"""Turn plain data into text: every function here is pure, nothing is printed or read."""
