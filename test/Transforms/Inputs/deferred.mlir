// What --vit-verify-quantized=deferred accepts.
!u = !quant.uniform<u8:f32, 0.5:128>
!w = !quant.uniform<i8:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.25>

func.func @deferred(%x: tensor<1x2x2x!u>, %w: tensor<2x2x!w>, %b: tensor<2x!a>) -> tensor<1x2x2xf32> {
  %y = vit.linear %x, %w, %b : (tensor<1x2x2x!u>, tensor<2x2x!w>, tensor<2x!a>) -> tensor<1x2x2x!a>
  %s = vit.matmul %x, %x transpose_rhs : (tensor<1x2x2x!u>, tensor<1x2x2x!u>) -> tensor<1x2x2x!a>
  %d = vit.dequantize %y : tensor<1x2x2x!a> -> tensor<1x2x2xf32>
  // Other ops may stay on floats.
  %g = vit.gelu erf %d : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %g : tensor<1x2x2xf32>
}
