"""The commands of `python -m mura_core`: a module each, with its SUMMARY, its flags and what it runs.

What a command needs is imported when it is chosen, so that the others start fast.
"""
