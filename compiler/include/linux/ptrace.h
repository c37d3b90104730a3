#ifndef _UAPI_LINUX_PTRACE_H
#define _UAPI_LINUX_PTRACE_H
#include <asm/ptrace.h>
#include <linux/types.h>
#endif
