/** Shipped headers beside those of a C library: whichever comes first, types are defined once. */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { preprocess } from "../compiler/1-preprocess/preprocess.ts";
import { parseTranslationUnit } from "../compiler/2-parse/parse.ts";
import { checkTranslationUnit } from "../compiler/3-check/check.ts";
import { shippedHeaderDirectory } from "../compiler/shipped-header-directory.ts";
import { withShippedHeaders } from "../compiler/shipped-header-files.ts";
import { compileText, compileWith } from "./support/compile.ts";

/** As glibc's, reduced to what they know of each other. */
const library = {
  "/libc/features.h": "#define _FEATURES_H 1\n",
  "/libc/sys/socket.h": `#ifndef _SYS_SOCKET_H
#define _SYS_SOCKET_H
typedef unsigned short sa_family_t;
#define __SOCKADDR_COMMON(prefix) sa_family_t prefix##family
#endif
`,
  "/libc/netinet/in.h": `#ifndef _NETINET_IN_H
#define _NETINET_IN_H
#include <features.h>
#include <sys/socket.h>
enum { IPPROTO_TCP = 6 };
struct in_addr { unsigned s_addr; };
#if defined _UAPI_LINUX_IN6_H
#else
struct in6_addr { union { unsigned char __u6_addr8[16]; } __in6_u; };
#define s6_addr __in6_u.__u6_addr8
struct sockaddr_in6 { __SOCKADDR_COMMON(sin6_); struct in6_addr sin6_addr; };
#endif
#endif
`,
};

function messages(main: string): string[] {
  const files = withShippedHeaders(memoryFileSystem({ ...library, "main.c": main }));
  const diagnostics = new Diagnostics();
  const options = {
    ...defaultPreprocessOptions,
    standardDirectories: [shippedHeaderDirectory, "/libc"],
  };
  const unit = preprocess("main.c", options, files, diagnostics);
  if (unit !== undefined) {
    const syntax = parseTranslationUnit(unit, diagnostics);
    checkTranslationUnit(syntax, { endian: "little", cpu: "v3" }, diagnostics);
  }
  return diagnostics.list.map(({ message }) => message);
}

const use = `int f(struct sockaddr_in6 *s, struct in_addr *a)
{
	return s->sin6_addr.s6_addr[3] + a->s_addr + IPPROTO_TCP;
}
`;

test("the library's first", () => {
  const text = `#include <netinet/in.h>\n#include <linux/in6.h>\n#include <linux/in.h>\n${use}`;
  expect(messages(text)).toEqual([]);
});

test("the kernel's first", () => {
  const text = `#include <linux/in6.h>\n#include <netinet/in.h>\n${use}`;
  expect(messages(text)).toEqual([]);
});

test("without a library sockets have the shipped header", () => {
  const text =
    "#include <sys/socket.h>\nint f(struct sockaddr *s) { return s->sa_family == AF_INET; }\n";
  expect(messages(text)).toEqual([]);
});

test("headers of interfaces and of ICMP bring the names of sockets and of old integer types", () => {
  const text = `#include <linux/icmp.h>
u_int8_t type(struct icmphdr *h, struct sockaddr *s, struct in6_addr *a)
{
	return h->type + (s->sa_family == AF_INET6) + a->s6_addr[0] + IFNAMSIZ;
}
typedef unsigned long long uint64_t;
`;
  expect(messages(text)).toEqual([]);
  expect(messages(`#include <linux/icmp.h>\n#include <netinet/in.h>\n${use}`)).toEqual([]);
});

test("64 bits are long or long long, as the program's own definitions say, before or behind headers", () => {
  const own = `typedef unsigned long long uint64_t;
typedef long long int64_t;
typedef unsigned long __u64;
`;
  const include = "#include <stdint.h>\n#include <linux/types.h>\n#include <sys/types.h>\n";
  const which = `_Static_assert(_Generic((uint64_t)0, unsigned long long: 1, default: 0), "own");
_Static_assert(_Generic((__u64)0, unsigned long: 1, default: 0), "own");
int64_t f(u_int64_t x, int_least64_t y) { return (uint64_t)x + y; }
`;
  expect(messages(own + include + which)).toEqual([]);
  expect(messages(include + own + which)).toEqual([]);
  expect(messages(`${include}typedef unsigned uint64_t;\nuint64_t x;\n`)).toEqual([
    "typedef redefinition with different types ('unsigned int' vs 'unsigned long')",
  ]);
  expect(messages(`${own}typedef unsigned long uint64_t;\n`)).toEqual([
    "typedef redefinition with different types ('unsigned long' vs 'unsigned long long')",
  ]);
});

test("stdatomic.h has atomic types and the generic functions", () => {
  const text = `#include <stdatomic.h>
static atomic_int counter = ATOMIC_VAR_INIT(3);
static atomic_uint_least64_t wide;
int f(void) {
  int seen = 3;
  atomic_store_explicit(&wide, 5, memory_order_release);
  if (atomic_compare_exchange_strong(&counter, &seen, 7)) atomic_fetch_add(&wide, 2);
  return atomic_exchange(&counter, 9) + (int)atomic_load(&wide);
}
`;
  expect(messages(text)).toEqual([]);
  expect(compileText(text).symbols.map((symbol) => symbol.name)).toContain("f");
});

test("headers of the kernel bring what programs of packets and processes name", () => {
  const text = `#include <linux/netfilter.h>
#include <linux/if.h>
#include <linux/sched.h>
#include <linux/tcp.h>
union nf_inet_addr address;
struct clone_args args;
_Static_assert(sizeof(address) == 16 && sizeof(args) == 88, "sizes");
#ifndef IFF_LOOPBACK
#error IFF_LOOPBACK is asked for by #ifdef
#endif
enum tcp_ca_state state = TCP_CA_Loss;
int f(void) { return (IFF_UP | IFF_LOOPBACK) + (args.flags & CLONE_NEWTIME) + address.ip; }
`;
  expect(messages(text)).toEqual([]);
});

test("functions that a library's headers hold for inlining only are defined where something calls them", () => {
  const header = `extern double strtod(const char *, char **);
extern __inline __attribute__((__gnu_inline__)) double atof(const char *p) { return strtod(p, 0); }
extern inline __attribute__((gnu_inline)) int twice(int x) { return x * 2; }
inline int plain(int x) { return x + 1; }
extern inline int kept(int x) { return x - 1; }
inline __attribute__((gnu_inline)) int old(int x) { return x - 2; }
`;
  const main = '#include "h.h"\nint f(int x) { return twice(x) + plain(x); }\n';
  const object = compileWith({ "h.h": header, "main.c": main }, "main.c");
  const functions = object.symbols.filter((symbol) => symbol.type === "func");
  const names = functions.map((symbol) => symbol.name);
  expect(names.filter((name) => ["atof", "strtod"].includes(name))).toEqual([]);
  expect(names).toEqual(expect.arrayContaining(["f", "kept", "old"]));
  const called = functions.filter((symbol) => ["twice", "plain"].includes(symbol.name));
  expect(called.map((symbol) => symbol.binding).filter((binding) => binding !== "local")).toEqual(
    [],
  );
});

test("the user's kernel headers behind all others have what ours have not", () => {
  const after = (folder: Readonly<Record<string, string>>): string[] => {
    const main = "#include <linux/in6.h>\nint a = IPV6_OF_THE_USER;\n";
    const files = withShippedHeaders(memoryFileSystem({ ...folder, "main.c": main }));
    const diagnostics = new Diagnostics();
    const standardDirectories = [shippedHeaderDirectory];
    const options = { ...defaultPreprocessOptions, standardDirectories, afterDirectories: ["/k"] };
    const unit = preprocess("main.c", options, files, diagnostics);
    if (unit !== undefined) {
      const syntax = parseTranslationUnit(unit, diagnostics);
      checkTranslationUnit(syntax, { endian: "little", cpu: "v3" }, diagnostics);
    }
    return diagnostics.list.map(({ message }) => message);
  };
  const whole = {
    "/k/linux/in6.h": "#include <linux/types.h>\n#define IPV6_OF_THE_USER sizeof(__be32)\n",
    "/k/linux/types.h": "typedef unsigned __be32;\n",
    "/k/asm/types.h": "",
  };
  expect(after(whole)).toEqual([]);
  const { "/k/asm/types.h": _, ...part } = whole;
  expect(after(part)).toEqual(["use of undeclared identifier 'IPV6_OF_THE_USER'"]);
});
