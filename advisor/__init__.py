"""What follows: from answers, knowledge and measurements to a recommendation, on screen, in a terminal, in a file."""
