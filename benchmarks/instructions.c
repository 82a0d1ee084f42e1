/*===- instructions.c - Counts instructions in QEMU -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------===
 *
 * A plugin of QEMU (7.2 and later, API version 1) that prints how many instructions a
 * guest executed. Declares what it uses of qemu-plugin.h, which Debian does not install.
 *
 *   cc -shared -fPIC -O2 instructions.c -o instructions.so
 *   qemu-system-arm -plugin ./instructions.so -d plugin ...
 *
\*===--------------------------------------------------------===*/

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
typedef void (*translated)(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated callback);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, enum qemu_plugin_op op,
                                                     void *counter, uint64_t add);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void *), void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern void qemu_plugin_outs(const char *text);

int qemu_plugin_version = 1;
static uint64_t count;

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &count, qemu_plugin_tb_n_insns(block));
}

static void finish(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  char text[64];
  snprintf(text, sizeof text, "instructions: %" PRIu64 "\n", count);
  qemu_plugin_outs(text);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *information, int argc, char **argv) {
  (void)information, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, finish, NULL);
  return 0;
}
