"""Programs of API v1, served by v2: their requests are translated on the way in, and what they see on the way out.

version.py  which version a request speaks; what is said of parts that are out of place
asked.py    requests of v1 -> requests of v2
shown.py    objects, lists and events of v2 -> those of v1
routes.py   the operations, as v1 has them

The engine knows nothing of v1. Requests of v2 pay one look at a header; the translation is loaded for the first of v1.
"""
