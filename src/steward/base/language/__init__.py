"""Language on this machine: texts in, vectors and calibrated probabilities out.

`LocalEmbedder` runs all-MiniLM-L6-v2 without torch, `HttpEmbedder` asks a service; `IntentHead` is
trained from a few examples per label on frozen vectors and the text's own words. Vectors have length
one, training is deterministic, trained heads are plain arrays and JSON. Nothing here knows what an
intent, a customer or a turn is: labels are strings.
"""
