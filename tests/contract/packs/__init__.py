"""Does a pack show one deployment, the whole of it, and nothing of any other?"""
