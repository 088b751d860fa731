"""The settings of the server: what there are, what they may be, and where those in force come from.

`model` has every setting once. Options, file, environment and what is shown of them follow from it.
"""
