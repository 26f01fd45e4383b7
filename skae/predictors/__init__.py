"""A classifier and a regressor on an encoder."""
