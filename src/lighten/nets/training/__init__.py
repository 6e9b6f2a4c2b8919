"""What training shares: loop, optimizer, precision, schedule."""
