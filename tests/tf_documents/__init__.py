"""The programs of five GradientTape tutorials, as functions of the module they call ``tf``.

A cell's program is the document's own; what it shows is printed or returned.  Random data and
initial weights are replaced by fixed ones where a number is compared; the programs as printed
are in ``scripts/``, whole documents that begin with ``import tensorflow as tf``.
"""

from tests.tf_documents import (
    doc000_basics,
    doc001_derivatives,
    doc002_minimum,
    doc003_training,
    doc004_advanced,
    doc004_jacobians,
    whole,
)

MODULES = [
    doc000_basics,
    doc001_derivatives,
    doc002_minimum,
    doc003_training,
    doc004_advanced,
    doc004_jacobians,
    whole,
]
