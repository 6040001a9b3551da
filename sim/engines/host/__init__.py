"""What runs on every host, whatever its engine: systemd, journald, people's terminals, payloads, what befalls them."""
