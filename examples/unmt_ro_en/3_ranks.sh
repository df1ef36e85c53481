#!/usr/bin/env bash
# Step 3: the words of each language in order of their counts (Step 1 of CrossInit), into ranks/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

for lang in en ro; do
  crossinit-ranks count --lang $lang prepare/clean/$lang.txt -o ranks/$lang.tsv
done
crossinit-ranks show ranks/en.tsv ranks/ro.tsv
