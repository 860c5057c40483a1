"""What the commands do: join the rooms, print tables, say where the outputs are."""
