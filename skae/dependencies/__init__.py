"""Dependencies: what held between columns in every row of `fit`, and draws that keep to it."""
