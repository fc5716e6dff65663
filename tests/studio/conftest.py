"""This room's tests find `studio_film` beside them."""
