"""What is measured: this machine, environments, workers, races, telemetry, results. Imports knowledge/ only."""
