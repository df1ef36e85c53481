# What a preset stands for; sourced by run.sh and one_run.sh. $PRESET is set.
#
#   VOCABULARY        symbols of the SentencePiece model of both languages; at 10,000 most words are whole
#   LAYERS, WIDTH     of encoder and decoder each; the feed-forward layers are 4 times as wide
#   TOKENS            --max-tokens, sub-tokens of a batch
#   RATE              learning rate, after WARMUP updates of warming up; from there it falls to 0 in a straight line
#   UPDATES           of crossinit_unmt
#   DENOISE           inits without a lexicon: so many updates of denoising alone, so that there is something to
#                     generate with
#   WORD_BY_WORD      inits with a lexicon: so many updates whose back-translations are made with it, word by word
#   SPAN_UPDATES      init crossinit: a short span and few updates, since longer training leaves two directions in the
#                     table; SPAN_RATE is the learning rate
#   PAIR_UPDATES      inits with a lexicon: of aligning the table to it; PAIR_RATE is the learning rate
#   WITH_LEXICON      inits with a lexicon: further options of crossinit_unmt
# Inits with a lexicon start as a copier, too (--start-as-copier): with an aligned table that is translating word by word.
case $PRESET in
  smoke)
    VOCABULARY=${VOCABULARY:-6000} LAYERS=2 WIDTH=64 DROPOUT=0.0 TOKENS=1000
    RATE=0.006 WARMUP=60 UPDATES=${UPDATES:-240} DENOISE=100 WORD_BY_WORD=100
    SPAN_UPDATES=50 SPAN_RATE=0.005 PAIR_UPDATES=100 PAIR_RATE=0.01 WITH_LEXICON=--lexicon-bt-noise ;;
  default)
    VOCABULARY=${VOCABULARY:-10000} LAYERS=3 WIDTH=128 DROPOUT=0.0 TOKENS=500
    RATE=0.004 WARMUP=120 UPDATES=${UPDATES:-2400} DENOISE=400 WORD_BY_WORD=200
    SPAN_UPDATES=50 SPAN_RATE=0.005 PAIR_UPDATES=300 PAIR_RATE=0.01 WITH_LEXICON=--lexicon-bt-noise ;;
  long)
    VOCABULARY=${VOCABULARY:-10000} LAYERS=3 WIDTH=128 DROPOUT=0.1 TOKENS=500
    RATE=0.004 WARMUP=120 UPDATES=${UPDATES:-12000} DENOISE=400 WORD_BY_WORD=200
    SPAN_UPDATES=50 SPAN_RATE=0.005 PAIR_UPDATES=300 PAIR_RATE=0.01 WITH_LEXICON=--lexicon-bt-noise ;;
esac
