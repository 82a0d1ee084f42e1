/*===- Vitq.h - Compiling and running models from C -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------===
 *
 * A float model in memory becomes an integer program that runs in this process:
 *
 *   VitqDiagnostics diagnostics = vitqDiagnosticsCreate(NULL, NULL);
 *   VitqOptions options = vitqOptionsCreate();
 *   vitqOptionsSet(options, "preprocess", "mean=0.5,std=0.5", diagnostics);
 *   VitqModel model = {onnxBytes, onnxSize, VITQ_MODEL_ONNX, "model.onnx"};
 *   VitqImages images = {pixels, 32, 224, 224, 3};
 *   VitqProgram program = vitqProgramCompile(&model, &images, options, diagnostics);
 *   if (vitqProgramIsNull(program))
 *     fputs(vitqDiagnosticsGetErrors(diagnostics), stderr);
 *   else
 *     vitqProgramRun(program, in, out, arena);
 *
 * Conventions
 * - Ownership: what `vitqXCreate` or `vitqXCompile` returns is the caller's, who ends
 *   it with `vitqXDestroy`. Destroying a null object does nothing. Text and memory
 *   that other functions return belong to the object that was asked and live until
 *   it is destroyed or changed. Arguments are copied, or read during the call only.
 * - Errors: a function that can fail takes a `VitqDiagnostics`, which may be null,
 *   and says there why. A mistake of the caller (a null argument, a misaligned
 *   arena) is VITQ_INVALID_ARGUMENT, whatever else stops the work VITQ_FAILURE.
 *   Nothing aborts or throws; only running out of memory inside LLVM ends the process.
 * - Threads: different objects may be used from different threads at once. One
 *   object may be read by several threads at once (`vitqProgramRun` reads), and
 *   changed by one that is alone with it. A `VitqDiagnostics` is changed by every
 *   function that is given it.
 *
\*===------------------------------------------------------===*/

#ifndef VITQ_C_VITQ_H
#define VITQ_C_VITQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a function or struct here changes its meaning. */
#define VITQ_C_API_VERSION 2

/* VITQ_C_API_VERSION of the library. */
int vitqGetApiVersion(void);

/* "0.1.0" */
const char *vitqGetVersion(void);

typedef enum VitqStatus { VITQ_SUCCESS = 0, VITQ_INVALID_ARGUMENT = 1, VITQ_FAILURE = 2 } VitqStatus;

/*===------------------------------------------------------===*\
 * Diagnostics
\*===------------------------------------------------------===*/

typedef enum VitqSeverity { VITQ_NOTE = 0, VITQ_REMARK = 1, VITQ_WARNING = 2, VITQ_ERROR = 3 } VitqSeverity;

typedef struct VitqDiagnostics {
  void *ptr;
} VitqDiagnostics;

/* Told of one diagnostic. `location` is the name of an ONNX node, or
 * "file:line:column" of MLIR text, or "". Both texts live during the call. Calls
 * come one at a time, during the function that was given the diagnostics, but
 * possibly from a thread of the compiler; they must not call that compiler again. */
typedef void (*VitqDiagnosticCallback)(VitqSeverity severity, const char *location, const char *message,
                                       void *userData);

/* With a callback diagnostics are passed on; without (NULL) they are collected. */
VitqDiagnostics vitqDiagnosticsCreate(VitqDiagnosticCallback callback, void *userData);
void vitqDiagnosticsDestroy(VitqDiagnostics diagnostics);
static inline bool vitqDiagnosticsIsNull(VitqDiagnostics diagnostics) { return !diagnostics.ptr; }

/* Those collected since the beginning or the last clear, oldest first. */
size_t vitqDiagnosticsGetCount(VitqDiagnostics diagnostics);
/* VITQ_ERROR and "" for an index that is too large. */
VitqSeverity vitqDiagnosticsGetSeverity(VitqDiagnostics diagnostics, size_t index);
const char *vitqDiagnosticsGetLocation(VitqDiagnostics diagnostics, size_t index);
const char *vitqDiagnosticsGetMessage(VitqDiagnostics diagnostics, size_t index);
/* The errors, one a line as "location: message"; "" if there is none. */
const char *vitqDiagnosticsGetErrors(VitqDiagnostics diagnostics);
void vitqDiagnosticsClear(VitqDiagnostics diagnostics);

/*===------------------------------------------------------===*\
 * Options
\*===------------------------------------------------------===*/

typedef struct VitqOptions {
  void *ptr;
} VitqOptions;

/* The defaults of `vitq-opt --compile`. */
VitqOptions vitqOptionsCreate(void);
void vitqOptionsDestroy(VitqOptions options);
static inline bool vitqOptionsIsNull(VitqOptions options) { return !options.ptr; }

/* Sets one option; the last value counts. Keys are
 *   target      as vitq-opt --target: "native", "x86-64-v3", ...
 *   name        of the program, a C identifier
 *   batch       images of one run of a program; of a module that is only lowered, the size
 *               of a batch axis that an ONNX model leaves open
 *   output      what of an ONNX model is compiled, as vitq-opt --output: names of
 *               outputs, or of values or nodes of its graph; its first output unless set
 *   shape       INPUT:1x3x224x224, the shape of an input whose axes an ONNX model leaves
 *               open; several with commas. Without it height and width are those of the
 *               images, or that `preprocess` gives, or what the weights were made for
 * and every option of the pipeline `vitq-compile`, which are vitq-opt's too, as
 *   recipe      "default", "minmax" or "ivit"
 *   preprocess  as vitq-opt --preprocess
 *   nonlinear   as vitq-opt --nonlinear: "table", "shift", "lut:8",
 *               "gelu=lut:8,softmax=shift" ...; "auto" needs the option `data`
 *   nonlinear-budget  what "auto" may lose in a layer, in dB
 *   lut-method  "optimal", "genetic" or "uniform": how lines are fitted
 *   data        calibration images: a folder or a .npy (instead of VitqImages)
 *   limit       number of calibration images to use, 0 for all
 * and
 *   report      what vitqProgramGetReport tells: "facts" (the default), which cost nothing, or
 *               "measured", also how each op compares with the float model on the images of
 *               the option `data`; that runs both on them
 * Errors: an unknown key (the message lists the known ones); a value that the
 * option cannot have (LLVM may write a line to standard error as well). */
VitqStatus vitqOptionsSet(VitqOptions options, const char *key, const char *value, VitqDiagnostics diagnostics);

/*===------------------------------------------------------===*\
 * Models and images
\*===------------------------------------------------------===*/

typedef enum VitqModelFormat {
  VITQ_MODEL_ONNX = 0,
  /* MLIR text or bytecode, in the float, quantized, deferred or integer phase. */
  VITQ_MODEL_MLIR = 1
} VitqModelFormat;

typedef struct VitqModel {
  const void *data;
  size_t size;
  VitqModelFormat format;
  /* What diagnostics call it; may be NULL. Weights of an ONNX model must be in the
   * model: external files are not looked for. */
  const char *name;
} VitqModel;

/* Calibration images as the program will get its input: uint8 pixels
 * [count, height, width, channels], resized and cropped to the size the model
 * takes, row after row, channels interleaved. Of the option `preprocess` only mean
 * and standard deviation apply to them. */
typedef struct VitqImages {
  const uint8_t *pixels;
  size_t count;
  int32_t height, width, channels;
} VitqImages;

/* Pictures as a program takes them: decoded, resized and cropped one at a time, when they are read. */
typedef struct VitqPictures {
  void *ptr;
} VitqPictures;

/* Opens a folder of JPEG and PNG files (in the order of their names), one such file, or a .npy or .npz of uint8
 * pixels; `preprocess` as vitq-opt --preprocess or a program's manifest says, `channels` (1 or 3) as the model takes.
 * Null on failure: there is no picture, the first cannot be read, or does not fit. */
VitqPictures vitqPicturesOpen(const char *path, const char *preprocess, int32_t channels, VitqDiagnostics diagnostics);
void vitqPicturesDestroy(VitqPictures pictures);
static inline bool vitqPicturesIsNull(VitqPictures pictures) { return !pictures.ptr; }

size_t vitqPicturesGetCount(VitqPictures pictures);
/* Of every picture: [height, width, channels]. */
void vitqPicturesGetSize(VitqPictures pictures, int32_t size[3]);
/* The file's name, or "#i" in an array; "" for an index that is too large. */
const char *vitqPicturesGetName(VitqPictures pictures, size_t index);
/* Reads one into `pixels`, uint8 [height, width, channels]. Errors: it cannot be read, or has another size than the
 * first. */
VitqStatus vitqPicturesRead(VitqPictures pictures, size_t index, uint8_t *pixels, VitqDiagnostics diagnostics);

/*===------------------------------------------------------===*\
 * Compiling
\*===------------------------------------------------------===*/

typedef enum VitqPhase {
  VITQ_PHASE_FLOAT = 0,
  VITQ_PHASE_QUANTIZED = 1,
  VITQ_PHASE_DEFERRED = 2,
  VITQ_PHASE_INTEGER = 3
} VitqPhase;

/* Told of bytes; called one or more times, in order. */
typedef void (*VitqBytesCallback)(const void *data, size_t size, void *userData);

/* Compiles `model` up to the end of `phase` and gives the module to `callback`, as
 * MLIR bytecode or text. Passed to `vitqProgramCompile` it is compiled on from there.
 * `images` may be NULL: then the option `data` or `load-ranges` says what to
 * calibrate on, or the module holds ranges, or is past calibration.
 * Errors: the model cannot be read or is not supported; the images do not have its
 * size; what vitq-opt reports. */
VitqStatus vitqModelLower(const VitqModel *model, const VitqImages *images, VitqOptions options, VitqPhase phase,
                          bool bytecode, VitqBytesCallback callback, void *userData, VitqDiagnostics diagnostics);

/* Measures the ranges of a float `model` on images, as above, and writes them to the file that the option `save-ranges`
 * names: what the option `load-ranges` reads, which merges several files, their paths separated by commas, to what all
 * of their images give. So a large set can be measured in parts. Errors as above; the model is quantized already. */
VitqStatus vitqModelCalibrate(const VitqModel *model, const VitqImages *images, VitqOptions options,
                              VitqDiagnostics diagnostics);

/* Quantizes an ONNX model and gives it to `callback` as an ONNX model again: float operators between
 * QuantizeLinear and DequantizeLinear, as vitq-opt --stop-after=quantized --emit=onnx writes it, with its
 * weights inside. `images` and errors as above; the weights are more than one file holds, 2 GiB. */
VitqStatus vitqModelQuantize(const VitqModel *model, const VitqImages *images, VitqOptions options,
                             VitqBytesCallback callback, void *userData, VitqDiagnostics diagnostics);

typedef struct VitqProgram {
  void *ptr;
} VitqProgram;

/* Compiles `model` to machine code and, where this processor can run it, links it
 * into this process. `images` and errors as above; null on failure. */
VitqProgram vitqProgramCompile(const VitqModel *model, const VitqImages *images, VitqOptions options,
                               VitqDiagnostics diagnostics);

/* The program of an object that vitqProgramGetObject gave, now or in another process. What the object says of
 * itself is checked, its code is trusted. Null on failure: it is no such object, or for another processor. */
VitqProgram vitqProgramLoad(const void *object, size_t size, VitqDiagnostics diagnostics);

/* The program of a shared library that vitqProgramWriteLibrary or vitq-opt --emit=so wrote; the same errors. It has
 * no object, header or report. */
VitqProgram vitqProgramOpen(const char *path, VitqDiagnostics diagnostics);

/* Links the object of `program` to a shared library, which vitq-run and C programs load; whole or not at all.
 * Errors: the program has no object; the file cannot be written; ld.lld is not installed. */
VitqStatus vitqProgramWriteLibrary(VitqProgram program, const char *path, VitqDiagnostics diagnostics);

/* Writes `program` for ONNX Runtime (1.18 or later): a model `path`, FILE.onnx, whose one node is an operator, and
 * FILE.so, the library with this operator, for register_custom_ops_library; as vitq-opt --emit=onnxruntime does. Both
 * or none. Errors: as above; the input is no uint8 or an output no int32 with a batch in front. */
VitqStatus vitqProgramWriteOnnxOperator(VitqProgram program, const char *path, VitqDiagnostics diagnostics);

/* Unloads the code; no `vitqProgramRun` may be going on. */
void vitqProgramDestroy(VitqProgram program);
static inline bool vitqProgramIsNull(VitqProgram program) { return !program.ptr; }

/*===------------------------------------------------------===*\
 * Programs
\*===------------------------------------------------------===*/

/* An input or output. `dtype` is "uint8", "int32", ...; `layout` "nhwc", or "". */
typedef struct VitqArray {
  const int64_t *shape;
  size_t rank;
  size_t bytes;
  const char *dtype;
  const char *layout;
} VitqArray;

VitqArray vitqProgramGetInput(VitqProgram program);
/* The first output, which most programs have alone. */
VitqArray vitqProgramGetOutput(VitqProgram program);
/* A float logit is this times the integer; 0 if the scale is not known. */
double vitqProgramGetOutputScale(VitqProgram program);

/* One of several outputs. They lie one after the other in the memory that a run writes
 * to, each at an offset that is a multiple of 64; the first is at 0. */
typedef struct VitqOutput {
  /* What the model calls it. */
  const char *name;
  VitqArray array;
  /* A real value is this times the integer; 0 if the scale is not known. */
  double scale;
  /* In bytes. */
  size_t offset;
} VitqOutput;

size_t vitqProgramGetNumOutputs(VitqProgram program);
/* In the order of the option `output`; of no name and no bytes for an index that is too
 * large. */
VitqOutput vitqProgramGetOutputAt(VitqProgram program, size_t index);
/* Of the memory for all outputs, to the end of the last. */
size_t vitqProgramGetOutputBytes(VitqProgram program);

const char *vitqProgramGetName(VitqProgram program);
/* What an arena must have: bytes, and an address that is a multiple of the second. */
size_t vitqProgramGetArenaBytes(VitqProgram program);
size_t vitqProgramGetArenaAlignment(VitqProgram program);
/* Multiply-accumulates of one run. */
uint64_t vitqProgramGetMacs(VitqProgram program);
/* JSON: the above, target, preprocessing, bytes of weights and of code. */
const char *vitqProgramGetManifest(VitqProgram program);
/* The object file: what `vitq-opt --emit=obj` writes. */
const void *vitqProgramGetObject(VitqProgram program, size_t *size);
/* JSON: what vitq-opt --report=FILE.json writes, as the option `report` says; "" of a program that was loaded. */
const char *vitqProgramGetReport(VitqProgram program);
/* A C header that declares the object's entry point; "" of a program that was loaded. */
const char *vitqProgramGetHeader(VitqProgram program);

/* Whether the program was compiled for a processor that runs here. */
bool vitqProgramIsRunnable(VitqProgram program);

/* Runs the program on one batch: `in` has the bytes of `vitqProgramGetInput`, `out`
 * those that `vitqProgramGetOutputBytes` says, `arena` is working memory whose
 * content does not matter before and after. Allocates nothing and keeps nothing:
 * several threads may run one program, each with an arena of its own.
 * VITQ_INVALID_ARGUMENT: a pointer is null or the arena is misaligned.
 * VITQ_FAILURE: the program is for another processor. */
VitqStatus vitqProgramRun(VitqProgram program, const void *in, void *out, void *arena);

/* The same with an arena that is allocated for this call, and with checks: the
 * sizes must be those of the program. Errors are explained. */
VitqStatus vitqProgramRunChecked(VitqProgram program, const void *in, size_t inBytes, void *out, size_t outBytes,
                                 VitqDiagnostics diagnostics);

/* An arena for `program`, uninitialized; null if there is no memory. Ended with
 * `vitqArenaDestroy`. */
void *vitqArenaCreate(VitqProgram program);
void vitqArenaDestroy(void *arena);

#ifdef __cplusplus
}
#endif

#endif /* VITQ_C_VITQ_H */
