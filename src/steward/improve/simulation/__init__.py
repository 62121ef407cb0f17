"""Simulations: tools that stand in for customers and models, and that say so wherever they show.

The simulated model server speaks OpenAI's protocol over real HTTP, answers only from what the prompt
holds, and can be slow, wrong, rate-limited or cut off on demand. Nothing here is ever a model that a
customer talks to, and no figure from it is mixed with real ones.
"""
