"""What Linux itself offers to hold a process in, by its own interfaces: no program, no package is needed.

The lowest room beside `errors`: it stands on nothing of ours, and runs behind the wall of a sandbox too.
"""
