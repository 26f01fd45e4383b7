"""The torch side of skae: the chain and its parts, free of scikit-learn, skorch and pandas."""
