"""What can be known before a long run: the installation, the machine, data, checkpoints, the command. No fairseq."""
