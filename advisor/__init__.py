"""What follows: from answers, knowledge and measurements to a recommendation, on screen, on the command line, in a report."""
