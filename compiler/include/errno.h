#ifndef _BPFC_ERRNO_H
#define _BPFC_ERRNO_H
#include <asm-generic/errno.h>
#endif
