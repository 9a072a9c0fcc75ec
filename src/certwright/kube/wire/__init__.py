"""Pure forms of the Kubernetes API: paths, keys, selectors, patches and the Status of an answer."""
