//===- Importer.h - Importing one ONNX node ----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Handlers of ONNX operators work on `Imported` values through NodeImporter,
// whose functions fold when all operands are constants and make vit ops
// otherwise. So shape arithmetic needs no handlers of its own.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_IMPORTER_H
#define VITQ_LIB_FRONTEND_IMPORTER_H

#include "OnnxModel.h"
#include "vitq/Frontend/OnnxImport.h"

#include "dialects/vit/Vit.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace vitq::frontend {

struct Grid;

/// An ONNX value: a constant or the result of an op.
struct Imported {
  ConstantPtr constant;
  mlir::Value value;
  /// Of booleans that depend on the image: they are those of `value`, negated.
  bool negated = false;
  /// Of integers that are codes of the image's data: the quantized type. `value` has the
  /// reals that they stand for.
  mlir::Type codes;
  /// Names of scales that the graph computes from the image (DynamicQuantizeLinear). The
  /// ONNX value is `value` divided by them; or, where there is no `value`, their product
  /// with `constant`.
  llvm::SmallVector<std::string, 1> dynamicScales;
  /// Set instead of all others for max(x) of rows, which exists only in x - max(x), and for that
  /// difference, of which exp(x - max(x)) is made: x.
  mlir::Value rowMaximumOf, distanceOf;
  /// Set instead of all others for a map [B, C, H, W] with -inf around it, which MaxPool reads: the map, and the
  /// shape with what is around it, `before` of it in front.
  mlir::Value surrounded;
  llvm::SmallVector<int64_t> surroundedShape, before;

  /// Whether it stands for something that only some operators complete.
  bool isPart() const { return !dynamicScales.empty() || rowMaximumOf || distanceOf || surrounded; }

  Imported() = default;
  Imported(ConstantPtr constant) : constant(std::move(constant)) {}
  Imported(mlir::Value value) : value(value) {}
  explicit operator bool() const { return constant || value || isPart(); }
  llvm::ArrayRef<int64_t> shape() const;
  int64_t rank() const { return shape().size(); }
  bool isFloat() const { return constant ? frontend::isFloat(constant->dtype) : !isBool() && !codes; }
  bool isBool() const;
};
using MaybeImported = llvm::FailureOr<Imported>;
/// Whether codes of this type are the numbers that they stand for: bytes, as those of an image.
bool areNumbers(mlir::Type codes);
/// A constant that is being computed.
using Result = std::shared_ptr<OnnxConstant>;

/// What the nodes of a graph share.
struct ImportState {
  explicit ImportState(mlir::OpBuilder &builder) : builder(builder) {}
  mlir::OpBuilder &builder;
  int64_t opset = 0;
  llvm::StringMap<Imported> values;
  /// Names of values that the result depends on.
  llvm::StringSet<> needed;
  /// DynamicQuantizeLinear nodes, for a remark.
  llvm::SmallVector<std::string> dynamicNodes;
  /// The op of each constant that an op reads, and the constant kept alive.
  llvm::DenseMap<const OnnxConstant *, std::pair<mlir::Value, ConstantPtr>> constants;
  /// Bytes of constants that were computed, and the work that took, in steps of about a nanosecond: a
  /// file must not take either for as long as it likes.
  double foldedBytes = 0, foldedWork = 0;
  /// How much may be; from the size of the weights.
  double maxFoldedBytes = 0, maxFoldedWork = 0;
};

struct OperatorHandler;

class NodeImporter {
public:
  NodeImporter(ImportState &state, const Node &node);

  /// Imports the node: its outputs are in the state's values afterwards.
  llvm::LogicalResult run();

  /// An error at the node that begins with its operator.
  mlir::InFlightDiagnostic error();

  /// Ops made from here on are part `part` of what the node computes: their location is its
  /// name and `.part`.
  void setPart(llvm::StringRef part);

  const Node &node;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t opset() const { return state.opset; }

  // Operands. A missing optional one is an empty Imported.
  size_t numInputs() const { return inputs.size(); }
  /// Input `i` of a node whose inputs are all constants.
  const OnnxConstant &constant(size_t i) const { return *input(i).constant; }
  const Imported &input(size_t i) const;
  void setInput(size_t i, Imported value) { inputs[i] = std::move(value); }
  bool has(size_t i) const { return static_cast<bool>(input(i)); }
  bool wantsOutput(size_t i) const { return i < node.outputs.size() && state.needed.contains(node.outputs[i]); }
  void setOutput(size_t i, Imported value);
  llvm::LogicalResult setOutput(MaybeImported value);

  /// Integers that shape the result and must be known.
  llvm::FailureOr<Shape> intsInput(size_t i, llvm::StringRef what);
  /// A list of axes of a tensor of `rank` as attribute (before `inputSince`)
  /// or input 1, made non-negative. `given` says whether there was one.
  llvm::FailureOr<Shape> axes(int64_t rank, int64_t inputSince, bool &given);
  /// Makes an axis non-negative.
  llvm::FailureOr<int64_t> axis(int64_t axis, int64_t rank);

  // Attributes. A wrong type emits an error, which run() notices at the end.
  int64_t intAttr(const std::string &name, int64_t otherwise);
  double floatAttr(const std::string &name, double otherwise);
  std::string stringAttr(const std::string &name, llvm::StringRef otherwise);
  std::optional<Shape> intsAttr(const std::string &name);
  llvm::FailureOr<const Graph *> graphAttr(const std::string &name);

  // Constants. What is too large, or takes too long, is an error.
  /// Zeros that will be a result. Each element costs about `work` steps.
  llvm::FailureOr<Result> allocate(DType type, llvm::ArrayRef<int64_t> shape, double work = 1);
  llvm::LogicalResult checkFolded(DType type, llvm::ArrayRef<int64_t> shape);
  llvm::LogicalResult spend(double work);
  /// The result, as output `i` if that is wanted.
  llvm::LogicalResult give(Result result, size_t i = 0);

  /// Imports the nodes of a graph in an attribute with values for its inputs. It sees the values around it; those
  /// inside are gone afterwards.
  llvm::LogicalResult runGraph(const Graph &graph, llvm::ArrayRef<Imported> values,
                               llvm::SmallVectorImpl<Imported> &outputs);

  /// The float operand as an SSA value.
  llvm::FailureOr<mlir::Value> materialize(const Imported &value);
  /// A vit op with one result of f32.
  template <typename OpTy>
  MaybeImported create(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    auto op = vit::createInferred<OpTy>(builder, loc, operands, attributes);
    return op ? checkResult(op->getResult(0)) : MaybeImported(llvm::failure());
  }
  /// A constant weight [rows, ...] with the codes that it has, or as `materialize`. Where a
  /// zero point puts codes outside of 8 bits, `rest` has what is missing, to be multiplied
  /// by the same operand; null otherwise.
  llvm::FailureOr<mlir::Value> materializeWeight(const Imported &weight, mlir::Value &rest);
  mlir::NamedAttribute i64s(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  mlir::NamedAttribute i64(llvm::StringRef name, int64_t value);

  /// An error if the node has other attributes than these: of operators outside ONNX,
  /// whose versions are not written down anywhere.
  llvm::LogicalResult checkAttributes(llvm::ArrayRef<llvm::StringRef> known);

  // Functions of values.
  /// `OpTy` of two floats, with NumPy's broadcasting.
  template <typename OpTy>
  MaybeImported apply(const Imported &lhs, const Imported &rhs) {
    if (mlir::failed(checkFloats(lhs, rhs)))
      return mlir::failure();
    llvm::FailureOr<mlir::Value> a = materialize(lhs), b = materialize(rhs);
    if (mlir::failed(a) || mlir::failed(b))
      return mlir::failure();
    return create<OpTy>({*a, *b});
  }
  /// A constant without axes.
  static Imported scalar(double value);
  MaybeImported reshape(const Imported &input, llvm::ArrayRef<int64_t> shape);
  MaybeImported transpose(const Imported &input, llvm::ArrayRef<int64_t> permutation);
  MaybeImported slice(const Imported &input, llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes,
                      llvm::ArrayRef<int64_t> strides);
  /// Elements [offset, offset + size) of the last axis.
  MaybeImported channels(const Imported &input, int64_t offset, int64_t size);
  MaybeImported gather(const Imported &input, llvm::ArrayRef<int64_t> indices, int64_t axis);
  MaybeImported broadcast(const Imported &input, llvm::ArrayRef<int64_t> shape);
  MaybeImported concat(llvm::ArrayRef<Imported> inputs, int64_t axis);

  /// Notes a scale that becomes a calibrated one.
  void noteDynamicScale() { state.dynamicNodes.push_back(node.name); }

  llvm::StringRef outputName() const { return node.outputs.empty() ? llvm::StringRef() : node.outputs.front(); }

private:
  llvm::LogicalResult readInputs(const OperatorHandler &handler);
  /// Counts results that are no parts of inputs.
  llvm::LogicalResult countFolded();
  MaybeImported checkResult(mlir::Value value);
  llvm::LogicalResult checkFloats(const Imported &lhs, const Imported &rhs);
  llvm::LogicalResult checkCodes(const Imported &value, const OperatorHandler &handler);
  /// Constants that are moved together with codes become the reals that they stand for.
  llvm::LogicalResult readConstantCodes();
  /// What a move of codes gives are the same codes.
  llvm::LogicalResult moveCodes();
  const OnnxAttribute *attr(const std::string &name, OnnxAttribute::Kind kind);

  ImportState &state;
  llvm::SmallVector<Imported> inputs;
  bool attributeError = false;
};

/// How an operator is imported.
struct OperatorHandler {
  /// Of any values; null where the operator is supported on constants only.
  llvm::LogicalResult (*import)(NodeImporter &) = nullptr;
  unsigned minInputs = 0, maxInputs = 0;
  /// Of constants (Evaluate/Evaluator.h), where `import` would make ops of them.
  llvm::LogicalResult (*evaluate)(NodeImporter &) = nullptr;
  /// Whether it takes codes of the image's data, and what it makes of them.
  enum class OnCodes { Refused, Moved, Handled } onCodes = OnCodes::Refused;
  /// Instead of `import` where an operand is a part (Imported::isPart).
  llvm::LogicalResult (*onPart)(NodeImporter &) = nullptr;
};
/// For operators with any number of inputs.
constexpr unsigned kManyInputs = 1u << 16;

/// The handlers by operator (Node::qualifiedType). They are added once by the functions below, one
/// for each file.
using HandlerTable = llvm::StringMap<OperatorHandler>;
const HandlerTable &operatorHandlers();
void addAttentionHandlers(HandlerTable &table);
void addBinaryEvaluators(HandlerTable &table);
void addContractionEvaluators(HandlerTable &table);
void addContractionHandlers(HandlerTable &table);
void addControlHandlers(HandlerTable &table);
void addConvolutionHandlers(HandlerTable &table);
void addEinsumHandlers(HandlerTable &table);
void addElementwiseHandlers(HandlerTable &table);
void addIndexingEvaluators(HandlerTable &table);
void addMoveEvaluators(HandlerTable &table);
void addNormalizeEvaluators(HandlerTable &table);
void addReduceEvaluators(HandlerTable &table);
void addMicrosoftHandlers(HandlerTable &table);
void addNormHandlers(HandlerTable &table);
void addReduceHandlers(HandlerTable &table);
void addPartHandlers(HandlerTable &table);
/// Also says of moves that they take codes: to be called last.
void addQuantizedHandlers(HandlerTable &table);
void addResizeHandlers(HandlerTable &table);
void addRotaryHandlers(HandlerTable &table);
void addShapeHandlers(HandlerTable &table);
void addUnaryEvaluators(HandlerTable &table);
void addWindowEvaluators(HandlerTable &table);
void addWindowHandlers(HandlerTable &table);

/// The shape of the image `input`, open sizes filled in: from `options`, or from the
/// weights. Emits an error otherwise. `input` and the result have the channels in front, also where the model has them
/// last, which only messages tell.
llvm::FailureOr<Shape> resolveInputShape(const Model &model, const ValueInfo &input, const ImportOptions &options,
                                         mlir::Location loc, bool channelsLast = false);

/// What several operators compute. The first two are those of the node's own inputs.
MaybeImported makeConv(NodeImporter &n);
MaybeImported makeGemm(NodeImporter &n);
/// ONNX's MatMul of any ranks.
MaybeImported makeMatMul(NodeImporter &n, Imported lhs, Imported rhs);
/// A linear layer with a constant weight [N, K]; `bias` may be null.
MaybeImported makeLinear(NodeImporter &n, const Imported &input, ConstantPtr weight, ConstantPtr bias);
llvm::LogicalResult importReduceSum(NodeImporter &n);
MaybeImported makeMean(NodeImporter &n, const Imported &input, Shape axes, bool keepDims);
MaybeImported makeGelu(NodeImporter &n, const Imported &input, vit::GeluKind kind);

/// `make` of an image [B, C, H, W], or a signal [B, C, L], as a map [B, H, W, C].
MaybeImported applyChannelsLast(NodeImporter &n, const Imported &image,
                                llvm::function_ref<MaybeImported(const Imported &)> make);
/// The maximum over all axes behind the channels, kept as size 1.
MaybeImported makeGlobalMaximum(NodeImporter &n, const Imported &input);
/// The maximum over `count` axes from `first` on, behind the batch, kept as size 1.
MaybeImported makeMaximum(NodeImporter &n, const Imported &input, int64_t first, int64_t count);
/// min(max(x, low), high), or one of the two, or x itself.
MaybeImported makeClamp(NodeImporter &n, const Imported &input, std::optional<double> low, std::optional<double> high);

/// An Einsum's equation, taken apart. Axes of an ellipsis are the labels 0, 1, ...: those at the end of the
/// longest one, as NumPy broadcasts.
struct Equation {
  llvm::SmallVector<llvm::SmallVector<int>> inputs;
  llvm::SmallVector<int> output;
};
llvm::FailureOr<Equation> readEquation(NodeImporter &n);

/// A map [B, C, H, W] as [B, H, W, C], or a row [B, C, L] as [B, 1, L, C]: ops on maps have their channels last.
MaybeImported toChannelsLast(NodeImporter &n, const Imported &input);
/// Back again, to a tensor of `rank` axes.
MaybeImported toChannelsFirst(NodeImporter &n, const Imported &map, int64_t rank);

/// A convolution with the node's attributes; `bias` may be empty.
MaybeImported importConvolution(NodeImporter &n, const Imported &input, const Imported &weight, const Imported &bias);

/// A remark where a bias of 32-bit codes has another scale than those of input and weight give.
void remarkBiasScale(NodeImporter &n, const Imported &input, const ConstantPtr &weight, const ConstantPtr &bias);
/// A handler of codes.
void addCodeHandler(HandlerTable &table, llvm::StringRef name, llvm::LogicalResult (*import)(NodeImporter &),
                    unsigned min, unsigned max);
/// Bits and sign of codes of an ONNX type; false when it is none of codes.
bool setCode(Grid &grid, DType type);
/// The reals of codes on `grid`, constants or the image's data.
MaybeImported dequantized(NodeImporter &n, const Imported &input, const Grid &grid);
/// The reals behind input `i`, whose scale and zero point are the inputs `scale` and `zero`, along `axis` where they
/// are several; with `sharesZero` one zero point may be that of all scales.
MaybeImported realInput(NodeImporter &n, size_t i, size_t scale, size_t zero, int64_t axis = 1,
                        bool sharesZero = false);
/// Where.
MaybeImported chooseBetween(NodeImporter &n, const Imported &condition, const Imported &x, const Imported &y);
/// A constant that is joined with codes of the image's data, as the reals that it stands for; itself if it is no
/// such code.
MaybeImported constantAsCodes(NodeImporter &n, const Imported &constant, mlir::Type codes);
/// The quantized type of codes on `grid`.
mlir::Type quantizedType(mlir::MLIRContext *context, const Grid &grid);

/// NumPy's shape of two operands.
llvm::FailureOr<Shape> broadcastShapes(NodeImporter &n, llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_IMPORTER_H
