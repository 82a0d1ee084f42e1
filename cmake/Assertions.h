// Included before everything else in builds with VITQ_ENABLE_ASSERTIONS: assert() in
// vitq's code although the LLVM libraries were built without.
//
// The layout of llvm::Statistic, and with it of every pass that has one, depends on
// NDEBUG: it must be the one that the libraries have.
#ifdef __cplusplus
#include "llvm/ADT/Statistic.h"
#undef NDEBUG
#include <cassert>
#endif
