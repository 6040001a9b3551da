"""What engines are made of: ops, procedures, programs and roles, and what shared code asks of an engine."""
