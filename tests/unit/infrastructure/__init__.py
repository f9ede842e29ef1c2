"""Does each part of the outside hold, on its own?"""
