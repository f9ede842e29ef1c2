"""Is the arithmetic right?"""
