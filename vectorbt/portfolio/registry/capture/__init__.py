"""What is read off a Portfolio: its metrics, its data, and the circumstances that it was made under."""
