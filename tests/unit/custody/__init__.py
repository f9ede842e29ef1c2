"""One life of an item, from registration to receipt."""
