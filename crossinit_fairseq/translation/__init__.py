"""Unsupervised translation: noise for denoising, generation for back-translation, and the batches of both."""
