"""Images: the figures of the papers."""
