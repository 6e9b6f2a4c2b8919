"""What shook the ground: readings of three sensors over time, told apart by a small network; all that it needs."""
