"""What runs behind the wall: it imports the standard library, `toolkit.kernel`, and itself.

Nothing here guards anything once strange code has run: that code may change all of it.
"""
