# smoke: does every step work? Nothing is learnt.
WEB_SIZE=base LINES=2000 VALID=40 SHARDS=2 VOCABULARY=180 LOG_INTERVAL=5
MODEL="--arch mbart_base --share-all-embeddings --encoder-layers 1 --decoder-layers 1
  --encoder-embed-dim 32 --decoder-embed-dim 32 --encoder-ffn-embed-dim 64 --decoder-ffn-embed-dim 64
  --encoder-attention-heads 2 --decoder-attention-heads 2 --max-source-positions 128 --max-target-positions 128"
ALIGN=20 ALIGN_OPTIONS="--span 50 --max-rank 500 --batch-size 16 --updates-per-epoch 10 --optimizer adam --lr 0.001"
PRETRAIN=20 PRETRAIN_OPTIONS="--tokens-per-sample 128 --max-tokens 600 --optimizer adam --lr 0.002"
TRANSLATE=10 TRANSLATION_OPTIONS="--max-tokens 400 --optimizer adam --lr 0.001 --valid-round-trip 10 --lambda-dae 1
  --restrict-vocab-updates -1"
# drawn, since the likeliest tokens of what has learnt nothing are all alike
GENERATION_OPTIONS="--sampling --beam 1 --min-len 8 --max-len-a 1.0 --max-len-b 5 --max-tokens 4000"
# --init lexicon
LEXICON_OPTIONS="--words 500 --restarts 1"
if [ "$INIT" = lexicon ]; then
  ALIGN_OPTIONS="--batch-size 16 --updates-per-epoch 10 --optimizer adam --lr 0.001"
  TRANSLATION_OPTIONS+=" --lexicon-bt-updates 5 --lexicon-noise 0.1"
fi
