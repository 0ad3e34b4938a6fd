"""What is served: each room is a handler."""
