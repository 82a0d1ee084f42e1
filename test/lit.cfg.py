# lit's description of the suite. Values that CMake knows are in lit.site.cfg.py.
#
# Tools are called by name (vitq-opt) or as %vitq_opt, %vitq_run ...
# Substitutions:
#   %digits   models/digits
#   %shapes   models/shapes
#   %build    the build folder
#   %shared   the folder of optional data (REQUIRES: shared-data)
#   %models   ONNX models written by test/models/make_models.py
#             (REQUIRES: test-models)
#   %cases    the ONNX project's cases of single operators (REQUIRES: operator-cases)
# Parameters: vitq_roundtrip=1 (IR tests with --verify-roundtrip), vitq_tiers=T,... (only
# tests of these tiers, see tiers.py; scripts/test.sh --tier).
# Longest first (tiers.py): by the times of the last run, and without one by those of
# .lit_test_times.txt in this folder (scripts/test.sh --record-times).
# Features: shared-data, test-models, operator-cases, vitq-run, vitq-lut, vitq-asm, vitq-lsp-server, vitq-operators,
# vitq-unit-vectors, vitq-rtl, verilator, yosys, opensta, osu018 (standard cells), x86_64,
# aarch64, avx2, avx512 (x86-64-v4), avx512vnni, qemu-aarch64, qemu-riscv32, riscv-gcc, cortex-m (GCC and QEMU for it),
# picolibc (for Cortex-M), wasm (its linker), node (Node.js), libomp (where --openmp looks for it), sanitizers (their libraries), chromium, clang-format (22), roundtrip (the suite runs with --verify-roundtrip).

import glob
import os
import platform
import re
import shutil
import sys

import lit.formats
import lit.util
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

roundtrip = lit_config.params.get("vitq_roundtrip", "0") == "1"

config.name = "vitq-roundtrip" if roundtrip else "vitq"

sys.path.insert(0, os.path.dirname(__file__))
from tiers import TieredTest  # noqa: E402  a module, so that lit's processes find it

config.test_format = TieredTest(lit_config.params.get("vitq_tiers", ""))
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(
    config.vitq_binary_dir, "test", "roundtrip" if roundtrip else "lit"
)

# IR tests are .mlir; tests whose input is not IR are .test. Only the former are
# repeated with --verify-roundtrip.
config.suffixes = [".mlir"] if roundtrip else [".mlir", ".test"]
config.excludes = ["Inputs", "unit", "models"]

llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.with_environment("PATH", config.vitq_tools_dir, append_path=True)
llvm_config.with_system_environment(
    ["HOME", "TMP", "TEMP", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS",
     "ASAN_SYMBOLIZER_PATH", "VITQ_RANDOM_MODULES"]
)

# Tools. One that is not built yet is left alone and its feature is absent.
opt_flags = ["--verify-roundtrip"] if roundtrip else []
tools = []
for name, flags in [("vitq-opt", opt_flags), ("vitq-run", []), ("vitq-lut", []), ("vitq-asm", []),
                    ("vitq-lsp-server", []), ("vitq-operators", []),
                    ("vitq-unit-vectors", []), ("vitq-rtl", [])]:
    path = os.path.join(config.vitq_tools_dir, name)
    if not os.path.exists(path):
        continue
    config.available_features.add(name)
    tools.append(ToolSubst(name, command=path, extra_args=flags))
    config.substitutions.append(
        ("%" + name.replace("-", "_") + r"\b", " ".join([path] + flags))
    )
llvm_config.add_tool_substitutions(
    tools + ["FileCheck", "not", "count", "split-file", "mlir-opt", "mlir-translate",
             "llvm-objdump", "llvm-nm", "llvm-readelf"],
    [config.vitq_tools_dir, config.llvm_tools_dir],
)

config.substitutions.append(("%digits", os.path.join(config.vitq_source_dir, "models", "digits")))
config.substitutions.append(("%shapes", os.path.join(config.vitq_source_dir, "models", "shapes")))
config.substitutions.append(("%source_root", config.vitq_source_dir))
config.substitutions.append(("%build", config.vitq_binary_dir))
config.substitutions.append(("%mlir_tblgen", os.path.join(config.llvm_tools_dir, "mlir-tblgen")))
config.substitutions.append(("%python", lit_config.params.get("python", "/usr/bin/python3")))

if roundtrip:
    config.available_features.add("roundtrip")
if os.path.isdir(config.vitq_shared_data):
    shared = os.path.realpath(config.vitq_shared_data)
    config.available_features.add("shared-data")
    config.substitutions.append(("%shared", shared))
    config.environment["VITQ_SHARED"] = shared
if os.path.exists(config.vitq_test_models + ".stamp"):
    config.available_features.add("test-models")
    config.substitutions.append(("%models", config.vitq_test_models))
    config.environment["VITQ_TEST_MODELS"] = config.vitq_test_models

cases = "/usr/share/libonnx-testdata/data"
if os.path.isdir(cases):
    config.available_features.add("operator-cases")
    config.substitutions.append(("%cases", cases))

# What this processor can run.
config.available_features.add(platform.machine())
try:
    with open("/proc/cpuinfo") as cpuinfo:
        line = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo.read(), re.M)
    cpu = set(line.group(1).split()) if line else set()
except OSError:
    cpu = set()
if "avx2" in cpu:
    config.available_features.add("avx2")
if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= cpu:
    config.available_features.add("avx512")
    if "avx512_vnni" in cpu:
        config.available_features.add("avx512vnni")
if shutil.which("qemu-aarch64"):
    config.available_features.add("qemu-aarch64")
# Processors of 32 bits that C is compiled for.
for feature, tools in [("qemu-riscv32", ["qemu-riscv32"]), ("riscv-gcc", ["riscv64-unknown-elf-gcc"]),
                       ("cortex-m", ["arm-none-eabi-gcc", "qemu-system-arm"])]:
    if all(map(shutil.which, tools)):
        config.available_features.add(feature)
# clang-22 has WebAssembly, lld-22 its linker.
if os.path.exists(os.path.join(config.llvm_tools_dir, "wasm-ld")):
    config.available_features.add("wasm")
if shutil.which("node"):
    config.available_features.add("node")
if "cortex-m" in config.available_features and os.path.isdir("/usr/lib/picolibc/arm-none-eabi"):
    config.available_features.add("picolibc")
if os.path.exists(os.path.join(config.llvm_tools_dir, "..", "lib", "libomp.so")):
    config.available_features.add("libomp")
# What Verilator writes is compiled by these.
if all(shutil.which(tool) for tool in ("verilator", "g++", "make")):
    config.available_features.add("verilator")
if glob.glob(os.path.join(config.llvm_tools_dir, "..", "lib", "clang", "*", "lib", "*", "libclang_rt.asan*")):
    config.available_features.add("sanitizers")
for tool, feature in [("yosys", "yosys"), ("sta", "opensta")]:
    if shutil.which(tool):
        config.available_features.add(feature)
if os.path.exists("/usr/share/qflow/tech/osu018/osu018_stdcells.lib"):
    config.available_features.add("osu018")
if shutil.which("clang-format-22"):
    config.available_features.add("clang-format")
if shutil.which("chromium"):
    config.available_features.add("chromium")
