#!/usr/bin/env bash
# ONNX Runtime 1.32.0 takes no two libraries of custom operators that use the same domain into one session, though their
# operators have different names: register_custom_ops_library accepts both, and making the session fails with
# "Domain already set in registry", before any graph is looked at: a model that uses no such operator fails as well. The same
# two libraries with domains of their own work together. So a library that others may be loaded beside needs a domain that
# nobody else has: one of the vendor, as ONNX recommends, is not enough for a vendor of two libraries.
#
# Seen with onnxruntime 1.32.0 and onnx 1.23.2, CPython 3.11 on x86-64; the libraries are compiled here, by cc, from the few
# functions of ONNX Runtime's C interface that they need (places in OrtApi, which only grows).
#
# Installs them in a temporary folder; needs cc, python3 (3.10 or later) with venv, and a network.
# Exit status 1 when onnxruntime behaves otherwise than this says.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy

cat >"$folder/operator.c" <<'C'
#include <stddef.h>
#include <stdint.h>

typedef void (*function)(void);
typedef struct { const function *(*api)(uint32_t version); const char *(*version)(void); } base;
typedef struct op {
  uint32_t version;
  void *(*create)(const struct op *, const function *, const void *);
  const char *(*name)(const struct op *), *(*provider)(const struct op *);
  int (*input_type)(const struct op *, size_t);
  size_t (*inputs)(const struct op *);
  int (*output_type)(const struct op *, size_t);
  size_t (*outputs)(const struct op *);
  void (*compute)(void *, void *);
  void (*destroy)(void *);
  int (*input_kind)(const struct op *, size_t), (*output_kind)(const struct op *, size_t);
} op;

static const function *api;
static int nothing;
static void *create(const op *o, const function *a, const void *i) { (void)o, (void)a, (void)i; return &nothing; }
static const char *name(const op *o) { (void)o; return OPERATOR; }
static const char *provider(const op *o) { (void)o; return NULL; }
static int float32(const op *o, size_t i) { (void)o, (void)i; return 1; }
static size_t one(const op *o) { (void)o; return 1; }
static int required(const op *o, size_t i) { (void)o, (void)i; return 0; }
static void destroy(void *kernel) { (void)kernel; }

/* y = x + ADDED, of one number. */
static void compute(void *kernel, void *context) {
  const int64_t shape[1] = {1};
  void *x = NULL, *y = NULL;
  float *from = NULL, *to = NULL;
  (void)kernel;
  ((void *(*)(void *, size_t, void **))api[90])(context, 0, &x);                             /* KernelContext_GetInput */
  ((void *(*)(void *, size_t, const int64_t *, size_t, void **))api[91])(context, 0, shape, 1, &y); /* ..._GetOutput */
  ((void *(*)(void *, float **))api[51])(x, &from);                                         /* GetTensorMutableData */
  ((void *(*)(void *, float **))api[51])(y, &to);
  *to = *from + ADDED;
}

static const op added = {8,   create, name,    provider, float32,  one,
                         float32, one, compute, destroy,  required, required};

void *RegisterCustomOps(void *options, const base *ort) {
  void *domain = NULL, *status;
  api = ort->api(8);
  if ((status = ((void *(*)(const char *, void **))api[26])(DOMAIN, &domain)))               /* CreateCustomOpDomain */
    return status;
  if ((status = ((void *(*)(void *, const op *))api[27])(domain, &added)))                   /* CustomOpDomain_Add */
    return status;
  return ((void *(*)(void *, void *))api[28])(options, domain);                              /* AddCustomOpDomain */
}
C
for library in "first One 1 vendor" "second Two 2 vendor" "apart Two 2 vendor.two"; do
  # shellcheck disable=SC2086
  set -- $library
  cc -shared -fPIC -O1 "-DOPERATOR=\"$2\"" "-DADDED=$3" "-DDOMAIN=\"$4\"" "$folder/operator.c" -o "$folder/$1.so"
done

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

folder = sys.argv[1]


def model(nodes, domains):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:])
    imports = [helper.make_opsetid("", 21)] + [helper.make_opsetid(domain, 1) for domain in domains]
    return helper.make_model(graph, opset_imports=imports, ir_version=10).SerializeToString()


def result(libraries, made):
    options = onnxruntime.SessionOptions()
    for library in libraries:
        options.register_custom_ops_library(f"{folder}/{library}.so")
    try:
        session = onnxruntime.InferenceSession(made, options, providers=["CPUExecutionProvider"])
        return float(session.run(None, {"x": np.float32([1])})[0][0])
    except Exception as error:
        return str(error).rpartition(" : ")[2]


def both(second):
    return model([helper.make_node("One", ["x"], ["t"], domain="vendor"),
                  helper.make_node("Two", ["t"], ["y"], domain=second)], sorted({"vendor", second}))


plain = model([helper.make_node("Neg", ["x"], ["y"])], [])
seen = [("the same domain", ["first", "second"], both("vendor"), "Domain already set in registry"),
        ("the same, used by no node", ["first", "second"], plain, "Domain already set in registry"),
        ("one of them alone", ["first"], plain, -1.0),
        ("domains of their own", ["first", "apart"], both("vendor.two"), 4.0)]
changed = False
for what, libraries, made, expected in seen:
    found = result(libraries, made)
    print(f"{what}: {found}")
    changed |= found != expected
if changed:
    sys.exit("not as described")
PYTHON
