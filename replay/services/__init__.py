"""What this tool starts for a side: commands with their port, clock, log and end; work trees of a commit."""
