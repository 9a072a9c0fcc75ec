"""What is told of a running process: log lines with fields, and the metrics that dashboards rely on."""
