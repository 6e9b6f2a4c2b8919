"""Networks: bring them in, open, save, walk, count, couple, run and train them."""
