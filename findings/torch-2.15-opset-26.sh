#!/usr/bin/env bash
# torch.onnx.export of PyTorch 2.15.0 with opset_version=26 or 27 returns without an error and
# writes a file that ONNX does not allow, where the model calls scaled dot product attention: the
# graph is built for opset 23 or later, with an Attention operator; the conversion to the opset asked
# for fails ("No Adapter From Version $22 for Attention", logged as a warning); and the file declares
# opset 18, where there is no Attention. onnx.checker and onnxruntime both refuse it. With
# opset_version=25 the same model is fine.
#
# Seen with torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0, CPython 3.11 on x86-64.
# What a user can do: ask for opset 25 or earlier, or for the default.
#
# Installs them in a temporary folder; needs python3 (3.10 or later) with venv, and a network.
# Exit status 1 when torch behaves otherwise than this says.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
  torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0

"$folder/venv/bin/python" - "$folder" 2>/dev/null <<'PYTHON'
import sys
import onnx
import onnxruntime
import torch


class Block(torch.nn.Module):
    def forward(self, x):
        heads = x.reshape(1, 9, 2, 4).transpose(1, 2)
        return torch.nn.functional.scaled_dot_product_attention(heads, heads, heads)


def attempt(function):
    try:
        function()
    except Exception:
        return "refused"
    return "accepted"


expected = {25: (25, "accepted", "accepted"), 26: (18, "refused", "refused"), 27: (18, "refused", "refused")}
changed = []
for asked, facts in expected.items():
    path = f"{sys.argv[1]}/opset{asked}.onnx"
    torch.onnx.export(Block().eval(), (torch.randn(1, 9, 8),), path, dynamo=True, opset_version=asked, verbose=False)
    model = onnx.load(path)
    declared = model.opset_import[0].version
    has_attention = any(node.op_type == "Attention" for node in model.graph.node)
    checker = attempt(lambda: onnx.checker.check_model(model, full_check=True))
    runtime = attempt(lambda: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]))
    print(f"opset {asked} asked for: {declared} declared, Attention {'in' if has_attention else 'not in'} the graph, "
          f"onnx.checker: {checker}, onnxruntime: {runtime}")
    if (declared, checker, runtime) != facts or not has_attention:
        changed.append(str(asked))
if changed:
    sys.exit("not as described: opset " + ", ".join(changed))
PYTHON
