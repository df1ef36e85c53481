# What a preset stands for; sourced by run.sh and one_run.sh. $PRESET is set. (Rates, batches and lengths of fine-tuning: the
# paper's in `paper`, XTREME's in `base`; those of `tiny` and `smoke` are for models trained from very little text.)
#
#   LINES, PAIRS        of the text of each language, and of the labelled pairs, where the text is samples (0: all)
#   VOCABULARY          pieces of all languages together
#   MODEL, POSITIONS    the architecture, and the longest input in sub-tokens
#   TOKENS, UPDATES     of masked-LM pre-training: --max-tokens, and updates; RATE is its learning rate
#   SPAN, SPAN_UPDATES  init crossinit: width of the spans, and updates of crossinit_pretrain; SPAN_RATE its learning rate
#   PAIR_UPDATES        init lexicon: updates of aligning the table to it; PAIR_RATE is the learning rate
#   XNLI, QA            options of fine-tuning
# With short text the spans are short and the updates few, since longer training leaves two directions in the table.
case $PRESET in
  smoke)
    LINES=1500 PAIRS=200 VOCABULARY=1500 TOKENS=1500 UPDATES=10 RATE=0.001 POSITIONS=128
    SPAN=5 SPAN_UPDATES=10 SPAN_RATE=0.005 PAIR_UPDATES=10 PAIR_RATE=0.01
    MODEL="--arch xlm_tiny_3 --encoder-layers 1 --encoder-embed-dim 32 --encoder-ffn-embed-dim 64 --encoder-attention-heads 2"
    XNLI="--batch-size 32 --max-length 96 --lr 0.001 --lr-scheduler fixed --max-epoch 1"
    QA="--batch-size 16 --max-length 128 --doc-stride 64 --max-question-length 32 --lr 0.001 --lr-scheduler fixed --max-epoch 1" ;;
  tiny)
    LINES=100000 PAIRS=0 VOCABULARY=16000 TOKENS=2000 UPDATES=150 RATE=0.0001 POSITIONS=256
    SPAN=30 SPAN_UPDATES=50 SPAN_RATE=0.005 PAIR_UPDATES=300 PAIR_RATE=0.01
    MODEL="--arch xlm_tiny_3 --encoder-layers 3 --encoder-embed-dim 128 --encoder-ffn-embed-dim 512 --encoder-attention-heads 4"
    XNLI="--batch-size 32 --max-length 128 --lr 0.0003 --lr-scheduler fixed --max-epoch 2"
    QA="--batch-size 16 --max-length 256 --doc-stride 128 --max-question-length 48 --lr 0.0003 --lr-scheduler fixed --max-epoch 2" ;;
  base)
    LINES=0 PAIRS=0 VOCABULARY=40000 TOKENS=16000 UPDATES=200000 RATE=0.0001 POSITIONS=384
    SPAN=1000 SPAN_UPDATES=3000 SPAN_RATE=0.0001 PAIR_UPDATES=300 PAIR_RATE=0.01
    MODEL="--arch xlm_tiny_3 --encoder-embed-dim 512 --encoder-ffn-embed-dim 2048"
    # XTREME's
    XNLI="--batch-size 32 --max-length 128 --lr 2e-5 --lr-scheduler fixed --max-epoch 5"
    QA="--batch-size 32 --max-length 384 --doc-stride 128 --lr 3e-5 --lr-scheduler polynomial_decay --warmup-updates 500
      --total-num-update 8400 --max-epoch 3" ;;
  paper)
    # XLM-15 as published; batch 128 and 200,000 updates stand in section 3.6 for XLM-tiny-3, in fast_xnli
    LINES=0 PAIRS=0 VOCABULARY=95000 TOKENS=16000 UPDATES=200000 RATE=0.0001 POSITIONS=512
    SPAN=3000 SPAN_UPDATES=50000 SPAN_RATE=0.0001 PAIR_UPDATES=300 PAIR_RATE=0.01
    MODEL=${ARCH:---arch xlm_mlm_xnli15_1024}
    XNLI="--batch-size 8 --max-length 128 --lr 5e-6 --lr-scheduler fixed --max-epoch 5"
    QA="--batch-size 32 --max-length 384 --doc-stride 128 --lr 5e-5 --lr-scheduler polynomial_decay --total-num-update 8400
      --max-epoch 3" ;;
esac
