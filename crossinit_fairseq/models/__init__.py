"""What CrossInit needs of fairseq's models: finding their token tables, and training nothing else."""
