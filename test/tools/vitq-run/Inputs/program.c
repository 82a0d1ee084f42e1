/* A stand-in for a compiled program: class c gets the sum of pixel row c % 8,
 * less c. What the macros change is wrong on purpose. */
#include <stdint.h>

#ifndef ABI
#define ABI 1
#endif
#ifndef SYMBOL
#define SYMBOL vitq_program_v1
#endif
#ifndef ARCH
#define ARCH "x86-64"
#endif
#ifndef MANIFEST
#define MANIFEST                                                               \
  "{\"abi\":1,\"name\":\"rows\",\"target\":\"" ARCH "\",\"input\":{"           \
  "\"shape\":[1,8,8,1],\"dtype\":\"uint8\",\"layout\":\"nhwc\"},\"output\":{"  \
  "\"shape\":[1,10],\"dtype\":\"int32\",\"scale\":0.5},"                       \
  "\"preprocess\":\"mean=0.5,std=0.5\",\"arena_bytes\":64,\"arena_align\":64," \
  "\"macs\":1000000,\"weight_bytes\":12,\"code_bytes\":34}"
#endif

static int run(const void *in, void *out, void *arena) {
  const uint8_t *pixels = in;
  int32_t *classes = out;
  if (!arena || (uintptr_t)arena % 64)
    return 1;
  for (int c = 0; c < 10; ++c) {
    classes[c] = -c;
    for (int x = 0; x < 8; ++x)
      classes[c] += pixels[c % 8 * 8 + x];
  }
  return 0;
}

const struct {
  uint32_t abi_version;
  const char *name;
  int (*run)(const void *, void *, void *);
  const char *manifest;
} SYMBOL = {ABI, "rows", run, MANIFEST};
