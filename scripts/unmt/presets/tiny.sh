# tiny: the same steps for 2 CPU cores. A run takes 30 to 45 minutes of one core, two run side by side: both recipes from both
# starting points take an hour or two.
WEB_SIZE=base LINES=400000 VALID=500 SHARDS=1 VOCABULARY=10000 LOG_INTERVAL=20
MODEL="--arch mbart_base --share-all-embeddings --encoder-layers 2 --decoder-layers 2
  --encoder-embed-dim 128 --decoder-embed-dim 128 --encoder-ffn-embed-dim 512 --decoder-ffn-embed-dim 512
  --encoder-attention-heads 4 --decoder-attention-heads 4 --dropout 0.0 --attention-dropout 0.0
  --max-source-positions 256 --max-target-positions 256"
# a short span and few updates, as in the quickstart: until the loss is flat, the table would keep about two directions
ALIGN=50 ALIGN_OPTIONS="--span 30 --max-rank 10000 --batch-size 64 --updates-per-epoch 50 --optimizer adam --lr 0.001"
PRETRAIN=1800 PRETRAIN_OPTIONS="--tokens-per-sample 256 --max-tokens 2000 --optimizer adam --adam-betas (0.9,0.98) --clip-norm 1.0
  --lr 0.002 --lr-scheduler inverse_sqrt --warmup-updates 200 --save-interval-updates 500 --keep-interval-updates 1"
TRANSLATE=300 TRANSLATION_OPTIONS="--max-tokens 800 --optimizer adam --adam-betas (0.9,0.98) --clip-norm 1.0
  --lr 0.001 --lr-scheduler inverse_sqrt --warmup-updates 50 --lambda-dae 1 --restrict-vocab-updates -1 --valid-round-trip 100
  --validate-interval-updates 100 --save-interval-updates 100 --keep-interval-updates 1"
# training is restricted to the tokens of the target language to its end, so translation is too
GENERATION_OPTIONS="--generation-vocab target --beam 4 --max-len-a 1.3 --max-len-b 5 --max-tokens 3000"
# --init lexicon: what was found to work on captions and in the quickstart. Over an aligned table a model that begins by copying
# is near to translating word by word; no mBART, since long denoising alone would undo the alignment, and translation denoises too
LEXICON_OPTIONS=  # further ones of crossinit-lexicon induce
if [ "$INIT" = lexicon ]; then
  MODEL=${MODEL/mbart_base/transformer}" --encoder-normalize-before --decoder-normalize-before"
  ALIGN=300 ALIGN_OPTIONS="--batch-size 512 --updates-per-epoch 100 --optimizer adam --lr 0.01 --clip-norm 1.0 --start-as-copier"
  PRETRAIN=0
  TRANSLATE=3600 TRANSLATION_OPTIONS="--max-tokens 500 --optimizer adam --adam-betas (0.9,0.98) --clip-norm 1.0
    --lr 0.004 --lr-scheduler polynomial_decay --total-num-update 3600 --warmup-updates 100 --lambda-dae 1
    --restrict-vocab-updates -1 --lexicon-bt-updates 1200 --lexicon-bt-noise --valid-round-trip 100
    --validate-interval-updates 400 --save-interval-updates 400 --keep-interval-updates 1"
  GENERATION_OPTIONS+=" --lenpen 0.6"
fi
