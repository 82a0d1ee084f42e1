/*===- Operator.c - A program as an operator of ONNX Runtime -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------===
 *
 * Linked with the object of a program to a library that ONNX Runtime loads. It needs no library itself: memory and
 * threads are ONNX Runtime's.
 *
\*===------------------------------------------------------===*/

#include "Operator.h"
#include "OrtAbi.h"
#include "vitq/Target/Program.h"

#include <stdatomic.h>
#include <stdbool.h>

/* The names of C. */
/* NOLINTBEGIN(readability-identifier-naming) */

extern const vitq_program vitq_program_v1;
extern const int64_t vitq_operator_facts[];

/*===------------------------------------------------------===*\
 * ONNX Runtime
\*===------------------------------------------------------===*/

static ort_api api;

#define ORT_DEFINE(place, type, name, parameters) typedef type(*ort_##name##_function) parameters;
ORT_FUNCTIONS(ORT_DEFINE)
#undef ORT_DEFINE
enum {
#define ORT_PLACE(place, type, name, parameters) ort_##name##_place = (place),
  ORT_FUNCTIONS(ORT_PLACE)
#undef ORT_PLACE
};
#define ORT(name) ((ort_##name##_function)api[ort_##name##_place])

#define RETURN_IF_FAILED(call)                                                                                         \
  do {                                                                                                                 \
    ort_status *status_ = (call);                                                                                      \
    if (status_)                                                                                                       \
      return status_;                                                                                                  \
  } while (0)

/* Texts are put together from parts, as there is no printf. */
typedef struct text {
  char data[256];
  size_t size;
} text;

static void say(text *t, const char *part) {
  while (*part && t->size + 1 < sizeof t->data)
    t->data[t->size++] = *part++;
  t->data[t->size] = 0;
}

static void say_number(text *t, int64_t number) {
  char digits[24];
  size_t i = sizeof digits;
  uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  digits[--i] = 0;
  do
    digits[--i] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0)
    digits[--i] = '-';
  say(t, digits + i);
}

static ort_status *fail(const char *message) {
  text t = {.size = 0};
  say(&t, "vitq program '");
  say(&t, vitq_program_v1.name);
  say(&t, "' ");
  say(&t, message);
  return ORT(create_status)(ORT_FAIL, t.data);
}

/*===------------------------------------------------------===*\
 * The processor
\*===------------------------------------------------------===*/

#if defined(__x86_64__)

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]) {
  __asm__("cpuid"
          : "=a"(registers[0]), "=b"(registers[1]), "=c"(registers[2]), "=d"(registers[3])
          : "a"(leaf), "c"(subleaf));
}

static void read_processor(uint64_t words[VITQ_CPU_X86_WORDS]) {
  enum { EAX, EBX, ECX, EDX };
  const uint32_t uses_xsave = 1u << 27;
  uint32_t r[4];
  cpuid(0, 0, r);
  const uint32_t last = r[EAX];
  cpuid(1, 0, r);
  words[VITQ_CPU_1_ECX] = r[ECX];
  if (r[ECX] & uses_xsave) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    words[VITQ_CPU_XCR0] = (uint64_t)high << 32 | low;
  }
  if (last >= 7) {
    cpuid(7, 0, r);
    words[VITQ_CPU_7_EBX] = r[EBX];
    words[VITQ_CPU_7_ECX] = r[ECX];
    words[VITQ_CPU_7_EDX] = r[EDX];
    if (r[EAX] >= 1) {
      cpuid(7, 1, r);
      words[VITQ_CPU_7_1_EAX] = r[EAX];
    }
  }
  cpuid(0x80000001u, 0, r);
  words[VITQ_CPU_EXTENDED_ECX] = r[ECX];
}

#else

/* Of the C library, which whatever loads this has. */
extern unsigned long getauxval(unsigned long type);

static void read_processor(uint64_t words[VITQ_CPU_X86_WORDS]) {
  enum { AT_HWCAP = 16, AT_HWCAP2 = 26 };
  words[VITQ_CPU_HWCAP] = getauxval(AT_HWCAP);
  words[VITQ_CPU_HWCAP2] = getauxval(AT_HWCAP2);
}

#endif

static bool runs_here(void) {
  uint64_t words[VITQ_CPU_X86_WORDS] = {0};
  read_processor(words);
  for (size_t i = 0; i < VITQ_CPU_X86_WORDS; ++i) {
    const uint64_t wanted = (uint64_t)vitq_operator_facts[VITQ_FACT_CPU + i];
    if ((words[i] & wanted) != wanted)
      return false;
  }
  return true;
}

/*===------------------------------------------------------===*\
 * Tensors
\*===------------------------------------------------------===*/

typedef struct tensor {
  size_t offset, bytes, rank;
  const int64_t *sizes;
} tensor;

enum { MAX_RANK = 8 };

/* The input, and the outputs behind it. */
static tensor get_tensor(size_t index) {
  const int64_t *facts = vitq_operator_facts + VITQ_FACT_TENSORS;
  for (;; --index) {
    const tensor t = {(size_t)facts[0], (size_t)facts[1], (size_t)facts[2], facts + 3};
    if (index == 0)
      return t;
    facts = t.sizes + t.rank;
  }
}

static size_t num_outputs(void) { return (size_t)vitq_operator_facts[VITQ_FACT_NUM_OUTPUTS]; }
static size_t batch_size(void) { return (size_t)vitq_operator_facts[VITQ_FACT_BATCH]; }
static size_t aligned(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

/* What is wrong with the sizes of an input. */
static ort_status *refuse(const int64_t *sizes, size_t rank) {
  text t = {.size = 0};
  const tensor input = get_tensor(0);
  say(&t, "takes uint8 [N");
  for (size_t i = 1; i < input.rank; ++i) {
    say(&t, ", ");
    say_number(&t, input.sizes[i]);
  }
  say(&t, "], but is given [");
  for (size_t i = 0; i < rank; ++i) {
    say(&t, i ? ", " : "");
    say_number(&t, sizes[i]);
  }
  say(&t, "]");
  return fail(t.data);
}

/* The number of images of an input that has the program's sizes otherwise. */
static ort_status *count_images(const ort_value *value, int64_t *count) {
  ort_shape *shape = NULL;
  RETURN_IF_FAILED(ORT(get_shape)(value, &shape));
  int64_t sizes[MAX_RANK] = {0};
  size_t rank = 0;
  ort_status *status = ORT(get_rank)(shape, &rank);
  const size_t known = rank < MAX_RANK ? rank : MAX_RANK;
  if (!status)
    status = ORT(get_sizes)(shape, sizes, known);
  ORT(release_shape)(shape);
  RETURN_IF_FAILED(status);
  const tensor input = get_tensor(0);
  bool fits = rank == input.rank;
  for (size_t i = 1; fits && i < rank; ++i)
    fits = sizes[i] == input.sizes[i];
  *count = sizes[0];
  return fits ? NULL : refuse(sizes, known);
}

/*===------------------------------------------------------===*\
 * Working memory
\*===------------------------------------------------------===*/

/* Blocks that wait for the next run: as many as ran at one time, up to this. */
enum { MAX_IDLE = 64 };

typedef struct kernel {
  ort_allocator *allocator;
  _Atomic(void *) idle[MAX_IDLE];
} kernel;

/* An arena, and a batch of input and outputs behind it. */
static size_t block_bytes(void) {
  return 64 + aligned((size_t)vitq_operator_facts[VITQ_FACT_ARENA_BYTES]) + aligned(get_tensor(0).bytes) +
         aligned((size_t)vitq_operator_facts[VITQ_FACT_OUTPUT_BYTES]);
}

static void *take_block(kernel *k) {
  for (size_t i = 0; i < MAX_IDLE; ++i) {
    void *block = atomic_exchange(&k->idle[i], NULL);
    if (block)
      return block;
  }
  void *block = NULL;
  ort_status *status = ORT(allocate)(k->allocator, block_bytes(), &block);
  if (status)
    ORT(release_status)(status);
  return status ? NULL : block;
}

static void free_block(kernel *k, void *block) {
  ort_status *status = ORT(deallocate)(k->allocator, block);
  if (status)
    ORT(release_status)(status);
}

static void give_block(kernel *k, void *block) {
  for (size_t i = 0; i < MAX_IDLE; ++i) {
    void *none = NULL;
    if (atomic_compare_exchange_strong(&k->idle[i], &none, block))
      return;
  }
  free_block(k, block);
}

/*===------------------------------------------------------===*\
 * Runs
\*===------------------------------------------------------===*/

enum { MAX_OUTPUTS = 64 };

typedef struct work {
  kernel *owner;
  const unsigned char *pixels;
  unsigned char *outputs[MAX_OUTPUTS];
  size_t images;
  atomic_bool no_memory, no_run;
} work;

/* The compiler makes these calls of memcpy. */
static void copy(unsigned char *to, const unsigned char *from, size_t bytes) { __builtin_memcpy(to, from, bytes); }

/* One batch in one thread. A last one of fewer images is filled up with its last image. */
static void run_batch(void *data, size_t index) {
  work *w = data;
  void *block = take_block(w->owner);
  if (!block) {
    atomic_store(&w->no_memory, true);
    return;
  }
  const tensor input = get_tensor(0);
  const size_t batch = batch_size(), image = input.bytes / batch, first = index * batch;
  const size_t count = w->images - first < batch ? w->images - first : batch;
  unsigned char *arena = (unsigned char *)aligned((size_t)block);
  unsigned char *full = arena + aligned((size_t)vitq_operator_facts[VITQ_FACT_ARENA_BYTES]);
  unsigned char *results = full + aligned(input.bytes);
  const unsigned char *pixels = w->pixels + first * image;
  if (count < batch) {
    for (size_t i = 0; i < batch; ++i)
      copy(full + i * image, pixels + (i < count ? i : count - 1) * image, image);
    pixels = full;
  }
  if (vitq_program_v1.run(pixels, results, arena) != 0)
    atomic_store(&w->no_run, true);
  for (size_t i = 0; i < num_outputs(); ++i) {
    const tensor output = get_tensor(1 + i);
    const size_t bytes = output.bytes / batch;
    copy(w->outputs[i] + first * bytes, results + output.offset, count * bytes);
  }
  give_block(w->owner, block);
}

static ort_status *get_outputs(ort_kernel_context *context, int64_t images, work *w) {
  for (size_t i = 0; i < num_outputs(); ++i) {
    const tensor output = get_tensor(1 + i);
    int64_t sizes[MAX_RANK];
    for (size_t axis = 0; axis < output.rank; ++axis)
      sizes[axis] = axis ? output.sizes[axis] : images;
    ort_value *value = NULL;
    void *memory = NULL;
    RETURN_IF_FAILED(ORT(get_output)(context, i, sizes, output.rank, &value));
    RETURN_IF_FAILED(ORT(get_data)(value, &memory));
    w->outputs[i] = memory;
  }
  return NULL;
}

static ort_status *compute(void *data, ort_kernel_context *context) {
  work w = {.owner = data};
  const ort_value *value = NULL;
  int64_t images = 0;
  void *pixels = NULL;
  RETURN_IF_FAILED(ORT(get_input)(context, 0, &value));
  RETURN_IF_FAILED(count_images(value, &images));
  RETURN_IF_FAILED(ORT(get_data)((ort_value *)value, &pixels));
  RETURN_IF_FAILED(get_outputs(context, images, &w));
  w.pixels = pixels;
  w.images = (size_t)images;
  const size_t batches = (w.images + batch_size() - 1) / batch_size();
  if (batches == 1)
    run_batch(&w, 0);
  else if (batches > 1)
    RETURN_IF_FAILED(ORT(parallel_for)(context, run_batch, batches, 0, &w));
  if (atomic_load(&w.no_memory))
    return fail("has no memory to run in");
  return atomic_load(&w.no_run)
             ? fail("cannot run here: its vectors have another length, or the system refuses it tile registers")
             : NULL;
}

/*===------------------------------------------------------===*\
 * The operator
\*===------------------------------------------------------===*/

static ort_status *create_kernel(const ort_custom_op *op, ort_api unused, const ort_kernel_info *info, void **result) {
  (void)op, (void)unused, (void)info;
  if (!runs_here())
    return fail("is for another processor");
  ort_allocator *allocator = NULL;
  void *memory = NULL;
  RETURN_IF_FAILED(ORT(get_allocator)(&allocator));
  RETURN_IF_FAILED(ORT(allocate)(allocator, sizeof(kernel), &memory));
  kernel *k = memory;
  k->allocator = allocator;
  for (size_t i = 0; i < MAX_IDLE; ++i)
    atomic_init(&k->idle[i], NULL);
  *result = k;
  return NULL;
}

static void destroy_kernel(void *data) {
  kernel *k = data;
  for (size_t i = 0; i < MAX_IDLE; ++i)
    if (atomic_load(&k->idle[i]))
      free_block(k, atomic_load(&k->idle[i]));
  free_block(k, k);
}

static text operator_name;
static const char *get_name(const ort_custom_op *op) { return (void)op, operator_name.data; }
static const char *get_provider(const ort_custom_op *op) { return (void)op, NULL; }
static int get_input_type(const ort_custom_op *op, size_t index) { return (void)op, (void)index, ORT_UINT8; }
static int get_output_type(const ort_custom_op *op, size_t index) { return (void)op, (void)index, ORT_INT32; }
static size_t get_num_inputs(const ort_custom_op *op) { return (void)op, 1; }
static size_t get_num_outputs(const ort_custom_op *op) { return (void)op, num_outputs(); }
static int get_kind(const ort_custom_op *op, size_t index) { return (void)op, (void)index, ORT_REQUIRED; }
static int get_memory(const ort_custom_op *op, size_t index) { return (void)op, (void)index, ORT_CPU_MEMORY; }
static int get_one(const ort_custom_op *op) { return (void)op, 1; }

static const ort_custom_op program_operator = {
    .version = ORT_CUSTOM_OP_VERSION,
    .get_name = get_name,
    .get_provider = get_provider,
    .get_input_type = get_input_type,
    .get_num_inputs = get_num_inputs,
    .get_output_type = get_output_type,
    .get_num_outputs = get_num_outputs,
    .destroy_kernel = destroy_kernel,
    .get_input_kind = get_kind,
    .get_output_kind = get_kind,
    .get_input_memory = get_memory,
    .get_min_variadic_inputs = get_one,
    .are_variadic_inputs_alike = get_one,
    .get_min_variadic_outputs = get_one,
    .are_variadic_outputs_alike = get_one,
    .create_kernel_2 = create_kernel,
    .compute_2 = compute,
};

/* One for the process: sessions only refer to it. */
static ort_status *get_domain(ort_domain **result) {
  static _Atomic(ort_domain *) domain;
  *result = atomic_load(&domain);
  if (*result)
    return NULL;
  /* Two threads write the same. */
  text name = {.size = 0};
  say(&name, VITQ_OPERATOR_NAME);
  for (int shift = 60; shift >= 0; shift -= 4) {
    const char digit[2] = {"0123456789abcdef"[(uint64_t)vitq_operator_facts[VITQ_FACT_HASH] >> shift & 15], 0};
    say(&name, digit);
  }
  operator_name = name;
  name.size = 0;
  say(&name, VITQ_OPERATOR_DOMAIN);
  say(&name, vitq_program_v1.name);
  ort_domain *created = NULL;
  RETURN_IF_FAILED(ORT(create_domain)(name.data, &created));
  RETURN_IF_FAILED(ORT(domain_add)(created, &program_operator));
  ort_domain *none = NULL;
  if (atomic_compare_exchange_strong(&domain, &none, created)) {
    *result = created;
  } else { /* another thread was faster */
    ORT(release_domain)(created);
    *result = none;
  }
  return NULL;
}

__attribute__((visibility("default"))) ort_status *RegisterCustomOps(ort_session_options *options,
                                                                     const ort_api_base *base) {
  ort_api current = base->get_api(ORT_API_VERSION_NEEDED);
  const bool is_old = !current;
  if (is_old)
    current = base->get_api(1);
  if (!current)
    return NULL;
  api = current;
  if (is_old)
    return fail("needs ONNX Runtime 1.18 or later");
  ort_domain *domain = NULL;
  RETURN_IF_FAILED(get_domain(&domain));
  return ORT(add_domain)(options, domain);
}

/* NOLINTEND(readability-identifier-naming) */
