"""Channels: a message comes in, a reply goes out; a package per channel.

A channel translates between its medium and conversations. It decides nothing about answers.
"""
