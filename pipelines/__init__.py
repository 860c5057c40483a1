"""The jobs a person runs: command line, recipes, reports and the built-in fleet."""
