"""`doctor --writes`: what a real organization answers to every write that this project sends, tried and undone."""
