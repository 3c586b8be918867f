"""The HTTP clients, against made-up and loopback servers."""
