"""Series: values in the order of time."""
