"""Tables: reconstruction, imputation, samples, features."""
