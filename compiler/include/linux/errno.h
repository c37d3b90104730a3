#ifndef _BPFC_LINUX_ERRNO_H
#define _BPFC_LINUX_ERRNO_H
#include <asm-generic/errno.h>
#endif
