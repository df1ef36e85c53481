# base: mbart_base on one GPU for about a day (estimated, not measured).
WEB_SIZE=base LINES=10000000 VALID=2000 SHARDS=4 VOCABULARY=32000 LOG_INTERVAL=100
MODEL="--arch mbart_base --share-all-embeddings --dropout 0.1 --max-source-positions 512 --max-target-positions 512"
# a short span and few updates: they leave the table 16 directions, until the loss is flat it would be about two (README)
ALIGN=100 ALIGN_OPTIONS="--span 30 --max-rank 10000 --batch-size 64 --updates-per-epoch 25 --optimizer adam --lr 0.001"
PRETRAIN=100000 PRETRAIN_OPTIONS="$HALF --tokens-per-sample 512 --max-tokens 8192 --update-freq 2 --multilang-sampling-alpha 0.5
  --optimizer adam --adam-betas (0.9,0.99) --adam-eps 1e-6 --lr 5e-4 --lr-scheduler inverse_sqrt --warmup-updates 5000
  --clip-norm 1.0 --validate-interval-updates 2000 --save-interval-updates 2000 --keep-interval-updates 1"
TRANSLATE=40000 TRANSLATION_OPTIONS="$HALF --max-tokens 4096 --optimizer adam --adam-betas (0.9,0.997) --adam-eps 1e-9
  --lr 3e-4 --lr-scheduler inverse_sqrt --warmup-updates 2000 --clip-norm 1.0 --sampling-alpha 0.5
  --lambda-dae 0:1,20000:0.1 --restrict-vocab-updates 5000 --valid-round-trip 500
  --validate-interval-updates 1000 --save-interval-updates 1000 --keep-interval-updates 1 --patience 10"
GENERATION_OPTIONS="--beam 5 --max-len-a 1.3 --max-len-b 5 --max-tokens 8000"
# --init lexicon
LEXICON_OPTIONS=  # further ones of crossinit-lexicon induce
if [ "$INIT" = lexicon ]; then
  ALIGN=2000 ALIGN_OPTIONS="--batch-size 256 --updates-per-epoch 100 --optimizer adam --lr 0.001"
  TRANSLATION_OPTIONS+=" --lexicon-bt-updates 2000 --lexicon-bt-noise"
fi
