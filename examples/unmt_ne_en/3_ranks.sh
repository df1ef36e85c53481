#!/usr/bin/env bash
# Step 3: the words of each language in order of their counts (Step 1 of CrossInit), into ranks/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

for lang in ne hi en; do
  crossinit-ranks count --lang $lang prepare/clean/$lang.txt -o ranks/$lang.tsv
done
crossinit-ranks show ranks/ne.tsv ranks/hi.tsv ranks/en.tsv
