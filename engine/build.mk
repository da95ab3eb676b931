# build.mk - flags of the interpreter's loop, included by the Makefile.
#
# Its jumps go to labels of its own, whose landing marks (cf-protection) would be executed with each
# instruction; merging and hoisting across labels undoes the threading; sqrt's errno is not read.
CFLAGS_engine_interpret_loop := -fno-math-errno -fcf-protection=none $(if $(filter gcc,$(KIND)),-fno-gcse -fno-crossjumping)
