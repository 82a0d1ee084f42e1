// Five copies: a and b of the input; c of a, row by row as a was written; d of b in
// other rows; e of d as a whole.
func.func private @copy(%x: memref<12x4xi8>, %y: memref<12x4xi8>, %first: index, %last: index) {
  %c0 = arith.constant 0 : index
  %v = vector.load %x[%first, %c0] : memref<12x4xi8>, vector<4xi8>
  vector.store %v, %y[%first, %c0] : memref<12x4xi8>, vector<4xi8>
  return
}
func.func @main(%x: memref<12x4xi8>) -> (memref<12x4xi8>, memref<12x4xi8>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %a = memref.alloc() : memref<12x4xi8>
  %b = memref.alloc() : memref<12x4xi8>
  %c = memref.alloc() : memref<12x4xi8>
  %d = memref.alloc() : memref<12x4xi8>
  %e = memref.alloc() : memref<12x4xi8>
  call @copy(%x, %a, %c0, %c2) {vitq.step = {op = "a", node = "", macs = 0 : i64, units = 2 : i64, rows = 12 : i64, local = array<i64: 0, 1>}} : (memref<12x4xi8>, memref<12x4xi8>, index, index) -> ()
  call @copy(%x, %b, %c0, %c2) {vitq.step = {op = "b", node = "", macs = 0 : i64, units = 2 : i64, rows = 12 : i64, local = array<i64: 0, 1>}} : (memref<12x4xi8>, memref<12x4xi8>, index, index) -> ()
  call @copy(%a, %c, %c0, %c2) {vitq.step = {op = "c", node = "", macs = 0 : i64, units = 2 : i64, rows = 12 : i64, local = array<i64: 0, 1>}} : (memref<12x4xi8>, memref<12x4xi8>, index, index) -> ()
  call @copy(%b, %d, %c0, %c4) {vitq.step = {op = "d", node = "", macs = 0 : i64, units = 4 : i64, rows = 12 : i64, local = array<i64: 0, 1>}} : (memref<12x4xi8>, memref<12x4xi8>, index, index) -> ()
  call @copy(%d, %e, %c0, %c2) {vitq.step = {op = "e", node = "", macs = 0 : i64, units = 2 : i64}} : (memref<12x4xi8>, memref<12x4xi8>, index, index) -> ()
  return %e, %c : memref<12x4xi8>, memref<12x4xi8>
}
