/*===- classify.c - A model compiled and run in this process -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===-----------------------------------------------------------------===
 *
 * classify MODEL.onnx PREPROCESS CALIBRATION.npy IMAGES.npy EXPECTED.npy INTEGER.mlirbc
 *
 * Compiles the model with the calibration images, runs it on the images and compares
 * the integers that come out with the expected ones (`vitq-run --dump-outputs`). The
 * integer module goes to a file and is compiled once more.
 *
\*===-----------------------------------------------------------------===*/

#include <vitq-c/Vitq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Bytes {
  unsigned char *data;
  size_t size;
} Bytes;

static void *allocate(size_t size) {
  void *memory = malloc(size ? size : 1);
  if (!memory) {
    fputs("classify: no memory\n", stderr);
    exit(1);
  }
  return memory;
}

static Bytes readFile(const char *path) {
  Bytes bytes = {NULL, 0};
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) {
    fprintf(stderr, "classify: cannot read '%s'\n", path);
    exit(1);
  }
  bytes.size = (size_t)ftell(file);
  bytes.data = allocate(bytes.size);
  rewind(file);
  if (fread(bytes.data, 1, bytes.size, file) != bytes.size) {
    fprintf(stderr, "classify: cannot read '%s'\n", path);
    exit(1);
  }
  fclose(file);
  return bytes;
}

/* An .npy file: its numbers follow a text of which the shape is all that counts here. */
typedef struct Array {
  Bytes file;
  const unsigned char *data;
  size_t size;
  int64_t shape[4];
} Array;

static Array readArray(const char *path) {
  Array array = {readFile(path), NULL, 0, {1, 1, 1, 1}};
  const Bytes file = array.file;
  size_t header = file.size > 10 ? 10u + file.data[8] + 256u * file.data[9] : 0;
  if (header == 0 || header > file.size || memcmp(file.data, "\x93NUMPY\x01", 7) != 0) {
    fprintf(stderr, "classify: '%s' is no .npy file\n", path);
    exit(1);
  }
  file.data[header - 1] = '\0';
  const char *text = strstr((const char *)file.data + 10, "'shape': (");
  for (int i = 0; text && i < 4; ++i) {
    char *end;
    text += strcspn(text, "0123456789)");
    if (*text == ')')
      break;
    array.shape[i] = strtol(text, &end, 10);
    text = end;
  }
  array.data = file.data + header;
  array.size = file.size - header;
  return array;
}

/* A growing buffer for vitqModelLower. */
static void append(const void *data, size_t size, void *userData) {
  Bytes *bytes = userData;
  unsigned char *grown = allocate(bytes->size + size);
  if (bytes->size)
    memcpy(grown, bytes->data, bytes->size);
  memcpy(grown + bytes->size, data, size);
  free(bytes->data);
  bytes->data = grown;
  bytes->size += size;
}

static void printArray(const char *what, VitqArray array) {
  printf("%s %s ", what, array.dtype);
  for (size_t i = 0; i < array.rank; ++i)
    printf(i ? "x%d" : "%d", (int)array.shape[i]);
  printf("\n");
}

/* The integer module, in `path` and compiled again: the same program. */
static int checkIntegerModule(const VitqModel *model, const VitqImages *images, VitqOptions options,
                              VitqProgram program, const char *path, VitqDiagnostics diagnostics) {
  Bytes integer = {NULL, 0};
  if (vitqModelLower(model, images, options, VITQ_PHASE_INTEGER, true, append, &integer, diagnostics) != VITQ_SUCCESS)
    return 1;
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(integer.data, 1, integer.size, file) != integer.size || fclose(file) != 0)
    return 1;
  VitqModel module = {integer.data, integer.size, VITQ_MODEL_MLIR, "integer.mlirbc"};
  VitqProgram again = vitqProgramCompile(&module, NULL, options, diagnostics);
  size_t size = 0, sizeAgain = 0;
  const void *object = vitqProgramGetObject(program, &size), *objectAgain = vitqProgramGetObject(again, &sizeAgain);
  const int differ = !objectAgain || size != sizeAgain || memcmp(object, objectAgain, size) != 0;
  printf("the integer module gives %s object\n", differ ? "ANOTHER" : "the same");
  vitqProgramDestroy(again);
  free(integer.data);
  return differ;
}

static int32_t best(const int32_t *logits, int64_t classes) {
  int32_t found = 0;
  for (int32_t i = 1; i < classes; ++i)
    if (logits[i] > logits[found])
      found = i;
  return found;
}

/* Runs all images; returns how many give the expected integers. */
static size_t classify(VitqProgram program, const Array *images, const Array *expected) {
  const VitqArray in = vitqProgramGetInput(program), out = vitqProgramGetOutput(program);
  const size_t count = images->size / in.bytes;
  int32_t *logits = allocate(out.bytes);
  void *arena = vitqArenaCreate(program);
  size_t equal = 0;
  printf("predictions");
  for (size_t i = 0; i < count; ++i) {
    if (vitqProgramRun(program, images->data + i * in.bytes, logits, arena) != VITQ_SUCCESS)
      break;
    if ((i + 1) * out.bytes <= expected->size && memcmp(logits, expected->data + i * out.bytes, out.bytes) == 0)
      ++equal;
    if (i < 10)
      printf(" %d", (int)best(logits, out.shape[1]));
  }
  printf("\n%d images, %d as expected\n", (int)count, (int)equal);
  vitqArenaDestroy(arena);
  free(logits);
  return count - equal;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fputs("usage: classify MODEL.onnx PREPROCESS CALIBRATION.npy IMAGES.npy EXPECTED.npy INTEGER.mlirbc\n", stderr);
    return 2;
  }
  Bytes onnx = readFile(argv[1]);
  Array calibration = readArray(argv[3]), pictures = readArray(argv[4]), expected = readArray(argv[5]);

  VitqDiagnostics diagnostics = vitqDiagnosticsCreate(NULL, NULL);
  VitqOptions options = vitqOptionsCreate();
  vitqOptionsSet(options, "preprocess", argv[2], diagnostics);
  vitqOptionsSet(options, "name", "digits", diagnostics);
  VitqModel model = {onnx.data, onnx.size, VITQ_MODEL_ONNX, argv[1]};
  VitqImages images = {calibration.data, (size_t)calibration.shape[0], (int32_t)calibration.shape[1],
                       (int32_t)calibration.shape[2], (int32_t)calibration.shape[3]};
  VitqProgram program = vitqProgramCompile(&model, &images, options, diagnostics);
  int failed = vitqProgramIsNull(program);
  if (!failed) {
    printArray("input", vitqProgramGetInput(program));
    printArray("output", vitqProgramGetOutput(program));
    printf("scale %g, arena %d bytes, %d multiply-accumulates\n", vitqProgramGetOutputScale(program),
           (int)vitqProgramGetArenaBytes(program), (int)vitqProgramGetMacs(program));
    failed = checkIntegerModule(&model, &images, options, program, argv[6], diagnostics) != 0;
    failed |= classify(program, &pictures, &expected) != 0;
  }
  fputs(vitqDiagnosticsGetErrors(diagnostics), stderr);

  vitqProgramDestroy(program);
  vitqOptionsDestroy(options);
  vitqDiagnosticsDestroy(diagnostics);
  free(onnx.data);
  free(calibration.file.data);
  free(pictures.file.data);
  free(expected.file.data);
  return failed;
}
