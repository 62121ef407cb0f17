"""The business system of the sample: an invented telecom provider's billing and service, over HTTP.

A process and a company of its own: it knows nothing of Steward, and Steward reaches it only through the
connectors of the sample's folder. It keeps every effect in a journal file that survives kill -9, gives one
effect to one idempotency key, and can be told to be slow, to fail, or to lose its answer after the work.
"""
