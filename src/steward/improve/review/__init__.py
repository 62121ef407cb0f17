"""What people say about single turns: the source of right intents, misrouting and hallucinations.

In comes a reviewer's judgement of a finished turn; out go reviews. Each carries the weight that brings
the sample of reviewed turns back to all traffic. A review never changes what is served.
"""
