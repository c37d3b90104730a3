/*
 * What libbpf makes of an object: opens it, relocates it for the running kernel and prints every
 * program's instructions. Maps are created and closed again; nothing is attached or pinned.
 *
 * Usage: libbpf-prepare [-l] OBJECT [PROGRAM…]   (without names, all programs that autoload)
 * -l loads the programs into the kernel too, and closes them again.
 * Output: "program NAME TYPE ATTACH_TYPE COUNT", then one line per slot "HEX [map NAME]".
 * Build: cc -O2 -I ROOT/include -o libbpf-prepare libbpf-prepare.c ROOT/lib/libbpf.a -lelf -lz
 * with a libbpf that has bpf_object__prepare (1.6 or newer).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int show_warnings(enum libbpf_print_level level, const char *format, va_list args) {
  return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int is_named(const char *name, int count, char **names) {
  for (int i = 0; i < count; i++)
    if (!strcmp(names[i], name)) return 1;
  return 0;
}

static const char *map_name_of(struct bpf_object *object, int fd) {
  struct bpf_map *map;
  bpf_object__for_each_map(map, object)
    if (bpf_map__fd(map) == fd) return bpf_map__name(map);
  return "?";
}

static void show(struct bpf_object *object, struct bpf_program *program) {
  const struct bpf_insn *insns = bpf_program__insns(program);
  size_t count = bpf_program__insn_cnt(program);
  printf("program %s %d %d %zu\n", bpf_program__name(program), bpf_program__type(program),
         bpf_program__expected_attach_type(program), count);
  for (size_t i = 0; i < count; i++) {
    const unsigned char *bytes = (const unsigned char *)&insns[i];
    for (int byte = 0; byte < 8; byte++) printf("%02x", bytes[byte]);
    int is_wide = insns[i].code == (BPF_LD | BPF_DW | BPF_IMM);
    int source = insns[i].src_reg;
    if (is_wide && (source == BPF_PSEUDO_MAP_FD || source == BPF_PSEUDO_MAP_VALUE))
      printf(" map %s", map_name_of(object, insns[i].imm));
    printf("\n");
  }
}

/* Sizes that the object leaves to its user program. */
static void complete(struct bpf_map *map) {
  enum bpf_map_type type = bpf_map__type(map);
  unsigned int entries = bpf_map__max_entries(map);
  if (type == BPF_MAP_TYPE_RINGBUF) {
    if (entries < 4096) bpf_map__set_max_entries(map, 4096);
    bpf_map__set_key_size(map, 0);
    bpf_map__set_value_size(map, 0);
    return;
  }
  if (type == BPF_MAP_TYPE_STACK_TRACE && !bpf_map__value_size(map))
    bpf_map__set_value_size(map, 127 * 8);
  if (type == BPF_MAP_TYPE_PERF_EVENT_ARRAY) {
    bpf_map__set_key_size(map, 4);
    bpf_map__set_value_size(map, 4);
    return;
  }
  int is_storage = type == BPF_MAP_TYPE_SK_STORAGE || type == BPF_MAP_TYPE_TASK_STORAGE ||
                   type == BPF_MAP_TYPE_INODE_STORAGE || type == BPF_MAP_TYPE_CGRP_STORAGE ||
                   type == BPF_MAP_TYPE_STRUCT_OPS;
  if (!entries && !is_storage) bpf_map__set_max_entries(map, 16);
}

int main(int argc, char **argv) {
  int load = argc > 1 && !strcmp(argv[1], "-l");
  argc -= load;
  argv += load;
  if (argc < 2) return 2;
  libbpf_set_print(show_warnings);
  LIBBPF_OPTS(bpf_object_open_opts, options, .relaxed_maps = true);
  struct bpf_object *object = bpf_object__open_file(argv[1], &options);
  if (!object) return 1;
  struct bpf_program *program;
  struct bpf_map *map;
  if (argc > 2) bpf_object__for_each_program(program, object)
    bpf_program__set_autoload(program, is_named(bpf_program__name(program), argc - 2, argv + 2));
  bpf_object__for_each_map(map, object) {
    bpf_map__set_pin_path(map, NULL);
    complete(map);
  }
  if (load ? bpf_object__load(object) : bpf_object__prepare(object)) return 1;
  bpf_object__for_each_program(program, object)
    if (bpf_program__autoload(program)) show(object, program);
  bpf_object__close(object);
  return 0;
}
