"""The platform local: this machine."""
