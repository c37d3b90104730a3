/** Kernel objects that maps hold or hang data on: sockets, cgroups, files, tasks. By id. */

export type KernelObject =
  | {
      readonly kind: "socket";
      readonly protocol: "tcp" | "udp";
      readonly state: "closed" | "bound" | "listening" | "established";
    }
  | { readonly kind: "cgroup" }
  | { readonly kind: "inode" }
  | { readonly kind: "task" }
  | { readonly kind: "perf event" }
  | { readonly kind: "AF_XDP socket" };

export type ObjectKind = KernelObject["kind"];
