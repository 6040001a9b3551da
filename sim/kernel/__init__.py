"""What Linux does with processes, signals, fifos, listeners, rules, cgroups and files. No time, no dice, no I/O."""
