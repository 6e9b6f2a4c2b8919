"""A finished run as a page, a picture, terminal tables and a model card, in English and Chinese."""
