# Runs every GoogleTest executable that add_vitq_unittest built.
#
# Environment of the tests:
#   VITQ_SHARED          the folder of optional data, where there is one
#   VITQ_TEST_MODELS     ONNX models written by test/models/make_models.py, where
#                        they could be written
#   VITQ_DIGITS          models/digits
#   VITQ_RANDOM_MODULES  how many random modules to run (as in the caller's)
#   VITQ_RANDOM_VITS     how many random vision transformers to compile (likewise)

import os
import shutil
import sys

config.name = "vitq-unit"
sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
from tiers import UnitTest  # noqa: E402  a module, so that lit's processes find it

config.test_format = UnitTest(
    lit_config.params.get("vitq_tiers", ""), ".", "Tests", run_under=[sys.executable, os.path.join(os.path.dirname(__file__), "keep_log.py")]
)
config.test_source_root = os.path.join(config.vitq_binary_dir, "test", "unit")
config.test_exec_root = config.test_source_root
config.suffixes = []
# Longest first, also on a machine that has not run them yet: the suite's own folder is
# that of the build.
times = os.path.join(config.test_exec_root, ".lit_test_times.txt")
recorded = os.path.join(os.path.dirname(__file__), ".lit_test_times.txt")
if os.path.exists(recorded) and not os.path.exists(times):
    shutil.copy(recorded, times)
config.excludes = ["CMakeFiles"]

for name in ["HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "ASAN_SYMBOLIZER_PATH",
             "VITQ_RANDOM_MODULES", "VITQ_RANDOM_VITS"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.environment["VITQ_DIGITS"] = os.path.join(config.vitq_source_dir, "models", "digits")
if os.path.isdir(config.vitq_shared_data):
    config.environment["VITQ_SHARED"] = os.path.realpath(config.vitq_shared_data)
if os.path.exists(config.vitq_test_models + ".stamp"):
    config.environment["VITQ_TEST_MODELS"] = config.vitq_test_models
