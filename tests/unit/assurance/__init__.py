"""Does the record prove what it says, and does every corruption show?"""
