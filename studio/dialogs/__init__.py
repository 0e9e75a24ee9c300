"""Windows that open over the studio."""
