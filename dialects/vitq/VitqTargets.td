//===- VitqTargets.td - What computes kernels ---------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGETS
#define VITQ_TARGETS

include "mlir/IR/AttrTypeBase.td"
include "dialects/vitq/VitqDialect.td"

def KernelTargetAttrInterface : AttrInterface<"KernelTargetAttrInterface"> {
  let cppNamespace = "::vitq::integer";
  let description = [{
    A target that computes several ops in one kernel (`vitq.kernel`). `vitq-form-kernels`
    asks its rules which (dialects/vitq/KernelRules.h). They stand beside the code that
    turns kernels into the target's own form, above the dialects: as an external model.
  }];
  let methods = [
    InterfaceMethod<[{
        The rules for the kernels of `module`, of which the target may read attributes.
        Null where the target makes no sense (a processor that there is not): then
        `emitError` has said why.
      }],
      "::std::unique_ptr<::vitq::integer::KernelRules>", "getKernelRules",
      (ins "::mlir::Operation *":$module,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError)>
  ];
}

def Vitq_CpuAttr : AttrDef<Vitq_Dialect, "Cpu"> {
  let mnemonic = "cpu";
  let summary = "A processor and its features";
  let description = [{
    What `--target` says of a processor: `#vitq.cpu<"x86-64-v3">`,
    `#vitq.cpu<"x86-64-v4+avx512vnni">`, `#vitq.cpu<"native">`. Whether there is such a
    processor is found out by what asks for its kernels.
  }];
  let parameters = (ins StringRefParameter<>:$text);
  let assemblyFormat = "`<` $text `>`";
}

#endif // VITQ_TARGETS
