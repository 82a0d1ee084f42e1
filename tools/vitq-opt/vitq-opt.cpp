#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<vitq::vit::VitDialect, vitq::integer::VitqDialect>();
  mlir::registerAllPasses();
  vitq::registerVitDeferSoftmaxDivisionPass();
  vitq::registerVitQuantizePass();
  vitq::registerVitDeferDequantPass();
  vitq::registerVitSelectNonlinearPass();
  vitq::registerVitVerifyQuantizedPass();
  vitq::registerVitqVerifyIntegerOnlyPass();
  vitq::registerVitqProveAccumulatorsPass();
  vitq::registerConvertVitToVitqPass();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "vitq", registry));
}
