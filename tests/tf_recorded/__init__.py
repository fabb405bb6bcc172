"""Programs written against TensorFlow, and the results that TensorFlow gave for them.

``harness`` runs a program and describes its result, ``values`` describes and compares single
values, ``record`` writes the descriptions (it needs TensorFlow; the tests do not), and the
``cases_*`` modules hold the programs of the conformance suite.
"""
