# paper: the paper's setting to the letter where it says; what it leaves open is listed in examples/unmt_ro_en/README.md.
# A batch is 256 sentences (of pairs of spans, in CrossInit) on any number of GPUs that divides 256, as near as can be on others,
# which is said: 8 at most at a time on each, gathered. Translation takes one for each language.
WEB_SIZE=paper LINES= VALID=5000 SHARDS=16 VOCABULARY=64000 LOG_INTERVAL=100
WORKERS=$((${SLURM_NTASKS:-1} > 1 ? ${SLURM_NTASKS:-1} : (GPUS > 0 ? GPUS : 1)))
EACH=$(((256 + WORKERS / 2) / WORKERS))
[ $EACH -gt 0 ] || EACH=1
if [ $EACH -le 8 ]; then
  BATCH="--batch-size $EACH --update-freq 1" TOGETHER=$((EACH * WORKERS))
else
  BATCH="--batch-size 8 --update-freq $(((EACH + 4) / 8))" TOGETHER=$((8 * ((EACH + 4) / 8) * WORKERS))
fi
[ $TOGETHER -eq 256 ] || echo "preset paper: $WORKERS GPUs do not divide 256, so a batch is $TOGETHER sentences" >&2
MODEL="--arch mbart_large --share-all-embeddings --dropout 0.1 --max-source-positions 1024 --max-target-positions 1024"
ALIGN=50000 ALIGN_OPTIONS="--span 3000 --max-rank 20000 --batch-size $EACH --updates-per-epoch 50 --optimizer adam --lr 1e-4
  --flatness 0.005 --best-checkpoint-metric coarse_loss --patience 3 --save-interval 5"
PRETRAIN=500000 PRETRAIN_OPTIONS="$HALF $BATCH --tokens-per-sample 512 --multilang-sampling-alpha 0.5
  --optimizer adam --adam-betas (0.9,0.99) --adam-eps 1e-6 --lr 1e-4 --lr-scheduler inverse_sqrt --warmup-updates 30000
  --validate-interval-updates 5000 --save-interval-updates 5000 --keep-interval-updates 1 --patience 10"
TRANSLATE=200000 TRANSLATION_OPTIONS="$HALF $BATCH --optimizer adam --adam-betas (0.9,0.997) --adam-eps 1e-9
  --lr 7e-4 --lr-scheduler inverse_sqrt --warmup-updates 8000 --sampling-alpha 0.5
  --lambda-dae 0:1,100000:0.1 --restrict-vocab-updates 1000 --valid-round-trip 500
  --validate-interval-updates 2000 --save-interval-updates 2000 --keep-interval-updates 1 --patience 10"
GENERATION_OPTIONS="--beam 5 --max-len-a 1.3 --max-len-b 5 --max-tokens 8000"
# --init lexicon, which the paper does not have
LEXICON_OPTIONS=  # further ones of crossinit-lexicon induce
if [ "$INIT" = lexicon ]; then
  ALIGN=5000 ALIGN_OPTIONS="--batch-size 256 --updates-per-epoch 100 --optimizer adam --lr 0.001"
  TRANSLATION_OPTIONS+=" --lexicon-bt-updates 4000 --lexicon-bt-noise"
fi
