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
