"""The helper package: makes data, draws, and names what is wrong. It never trains."""
