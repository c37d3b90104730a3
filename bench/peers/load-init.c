/*
 * The first and only process of an emulated machine: loads programs, says what the kernel answers,
 * and powers off. Nothing is attached. Input is /cases.bin (little endian; strings and code padded
 * to 4 bytes), written by bench/kernel-emulated.ts:
 *   u32 cases; per case: u32 bytes, type, attach type, flags, slots, maps, bytes of BTF, functions,
 *   bytes of licence; licence, BTF, functions (u32 slot, u32 type), code, and per map: u32 type,
 *   key size, value size, entries, flags, inner map (-1: none), key's type, value's type, bytes of
 *   the first value; then those values, each padded. Maps that programs only read are frozen.
 * Output on the console: one line `@ INDEX RESULT ERRNO` per case, then `@ done`.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { map_words = 9, case_words = 9, most_maps = 64 };

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load_btf(const uint32_t *data, uint32_t size)
{
	union bpf_attr attr = {.btf = (uint64_t)(uintptr_t)data, .btf_size = size};

	return bpf(BPF_BTF_LOAD, &attr);
}

static int create_map(const uint32_t *map, const int *maps, int btf, int with_btf)
{
	union bpf_attr attr = {
		.map_type = map[0], .key_size = map[1], .value_size = map[2],
		.max_entries = map[3], .map_flags = map[4],
	};

	if (map[5] != UINT32_MAX)
		attr.inner_map_fd = maps[map[5]];
	if (with_btf) {
		attr.btf_fd = btf;
		attr.btf_key_type_id = map[6];
		attr.btf_value_type_id = map[7];
	}
	return bpf(BPF_MAP_CREATE, &attr);
}

/* Creates those with an inner map last; negative where one cannot be made. */
static int create_maps(const uint32_t *specs, uint32_t count, int *maps, int btf)
{
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < count; i++) {
			const uint32_t *map = specs + i * map_words;

			if ((map[5] != UINT32_MAX) != pass)
				continue;
			maps[i] = btf >= 0 && map[7] ? create_map(map, maps, btf, 1) : -1;
			if (maps[i] < 0)
				maps[i] = create_map(map, maps, btf, 0);
			if (maps[i] < 0)
				return -errno;
		}
	}
	return 0;
}

static void fill_maps(const uint32_t *specs, uint32_t count, const int *maps)
{
	const uint32_t *value = specs + count * map_words;

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t *map = specs + i * map_words;
		uint32_t key = 0;
		union bpf_attr attr = {
			.map_fd = maps[i], .key = (uint64_t)(uintptr_t)&key,
			.value = (uint64_t)(uintptr_t)value,
		};
		union bpf_attr freeze = {.map_fd = maps[i]};

		if (!map[8])
			continue;
		bpf(BPF_MAP_UPDATE_ELEM, &attr);
		if (map[4] & BPF_F_RDONLY_PROG)
			bpf(BPF_MAP_FREEZE, &freeze);
		value += (map[8] + 3) / 4;
	}
}

static void relocate(struct bpf_insn *code, uint32_t slots, const int *maps, uint32_t count)
{
	for (uint32_t i = 0; i < slots; i++) {
		if (code[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if ((code[i].src_reg == 1 || code[i].src_reg == 2) && (uint32_t)code[i].imm < count)
			code[i].imm = maps[code[i].imm];
		i++;
	}
}

static void judge(uint32_t index, uint32_t *data)
{
	static char log[1 << 20];
	uint32_t slots = data[4], count = data[5], functions = data[7];
	uint32_t *licence = data + case_words;
	uint32_t *btf_data = licence + (data[8] + 3) / 4;
	uint32_t *function_data = btf_data + (data[6] + 3) / 4;
	struct bpf_insn *code = (void *)(function_data + functions * 2);
	const uint32_t *specs = (void *)(code + slots);
	int maps[most_maps];
	int btf = data[6] ? load_btf(btf_data, data[6]) : -1;
	int result = count > most_maps ? -E2BIG : create_maps(specs, count, maps, btf);

	if (result < 0) {
		printf("@ %u map %d\n", index, -result);
	} else {
		union bpf_attr attr = {
			.prog_type = data[1], .expected_attach_type = data[2],
			.prog_flags = data[3], .insn_cnt = slots,
			.insns = (uint64_t)(uintptr_t)code,
			.license = (uint64_t)(uintptr_t)licence,
			.log_buf = (uint64_t)(uintptr_t)log, .log_size = sizeof(log), .log_level = 4,
		};

		if (btf >= 0 && functions) {
			attr.prog_btf_fd = btf;
			attr.func_info = (uint64_t)(uintptr_t)function_data;
			attr.func_info_rec_size = 8;
			attr.func_info_cnt = functions;
		}
		log[0] = 0;
		fill_maps(specs, count, maps);
		relocate(code, slots, maps, count);
		result = bpf(BPF_PROG_LOAD, &attr);
		log[strcspn(log, "\n")] = 0;
		printf("@ %u %s %d %.120s\n", index, result < 0 ? "reject" : "accept",
		       result < 0 ? errno : 0, result < 0 ? log : "");
	}
	for (int fd = 3; fd < 256; fd++)
		close(fd);
}

int main(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	int fd = open("/cases.bin", O_RDONLY);
	struct stat file;
	uint32_t *data;

	setrlimit(RLIMIT_MEMLOCK, &all);
	if (fd < 0 || fstat(fd, &file) || !(data = malloc(file.st_size)))
		return 1;
	for (off_t at = 0; at < file.st_size;) {
		ssize_t got = read(fd, (char *)data + at, file.st_size - at);

		if (got <= 0)
			return 1;
		at += got;
	}
	close(fd);
	setvbuf(stdout, 0, _IOFBF, 1 << 16);
	uint32_t *next = data + 1;
	for (uint32_t i = 0; i < data[0]; i++) {
		uint32_t *this = next;

		next += this[0] / 4;
		judge(i, this);
	}
	printf("@ done\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
