"""Measurements: issuance rate, API writes, memory and CPU, with the same driver for every controller and server."""
