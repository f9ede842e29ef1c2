"""HTTP and the command line: what people and programs outside may ask."""
