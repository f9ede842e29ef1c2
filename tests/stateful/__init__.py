"""Can any order of commands break a promise?"""
