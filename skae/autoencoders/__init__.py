"""The transformers: plain, denoising, sparse, contractive and variational."""
