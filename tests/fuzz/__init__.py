"""Everything that reads what others send, fed with whatever they could send.

`targets` lists what is fed and what has to hold. pytest feeds each of them a little, by Hypothesis, and again all that
once broke one, from `crashes`; `python -m tests.fuzz` feeds them for as long as one likes, by atheris.
"""
