#ifndef _BPFC_ASM_ERRNO_H
#define _BPFC_ASM_ERRNO_H
#include <asm-generic/errno.h>
#endif
