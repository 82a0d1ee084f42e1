"""run_deeploy.py MODEL.onnx OUTPUT.c: C by Deeploy's generic platform, of a float model."""

import pathlib
import sys
import tempfile

import onnx
import onnx_graphsurgeon
from Deeploy.AbstractDataTypes import PointerClass
from Deeploy.CommonExtensions.DataTypes import float32_t
from Deeploy.Targets.Generic.Deployer import GenericDeployer
from Deeploy.Targets.Generic.Platform import GenericOptimizer, GenericPlatform

graph = onnx_graphsurgeon.import_onnx(onnx.shape_inference.infer_shapes(onnx.load(sys.argv[1])))
with tempfile.TemporaryDirectory() as folder:
    deployer = GenericDeployer(
        graph, GenericPlatform(), {"input_0": PointerClass(float32_t)}, GenericOptimizer,
        scheduler=lambda nodes: [[node] for node in nodes.nodes], deeployStateDir=folder, inputOffsets={"input_0": 0})
    deployer.prepare()
pathlib.Path(sys.argv[2]).write_text(deployer.generateFunction(), encoding="utf-8")
