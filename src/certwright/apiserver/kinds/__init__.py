"""The built-in kinds that the server serves without a CustomResourceDefinition."""
