"""What lies in a model's folder: JSON, headers of weights, links."""
