/* What the workloads share: each is an XDP program that runs on one TCP packet of 1,024 bytes. */
#ifndef BPFC_WORKLOAD_H
#define BPFC_WORKLOAD_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PACKET_START(ctx) ((void *)(long)(ctx)->data)
#define PACKET_END(ctx) ((void *)(long)(ctx)->data_end)

char LICENSE[] SEC("license") = "GPL";

#endif
