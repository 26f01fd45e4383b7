"""A classifier and a regressor on top of an encoder."""
