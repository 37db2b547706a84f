"""Python sessions for code that nobody has read, behind walls that the operating system holds.

`sandbox.py` is what the rest of the house sees; `inside/` is what runs behind the wall, where nothing
else of ours is.
"""
