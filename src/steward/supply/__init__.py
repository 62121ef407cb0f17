"""What an answer is made from: releases, the assistant folder, knowledge, models, business systems."""
