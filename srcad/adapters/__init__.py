"""Derivatives for other libraries; each adapter is thin and imports its library when it is used.

* ``srcad.adapters.scipy``: ``objective`` and ``residuals`` for ``scipy.optimize``, ``rates`` for
  ``scipy.integrate.solve_ivp``, ``low_level`` for ``scipy.LowLevelCallable``.
* ``srcad.adapters.minuit``: ``minuit`` for iminuit.
* ``srcad.adapters.torch``: ``function`` as a ``torch.autograd.Function``.
* ``srcad.adapters.jax``: ``function`` as a JAX function with ``pure_callback`` and ``custom_vjp``.
"""
