#ifndef _LINUX_SWAB_H
#define _LINUX_SWAB_H
#include <linux/types.h>

#define ___constant_swab16(x) \
	((__u16)((((__u16)(x) & (__u16)0x00ffU) << 8) | (((__u16)(x) & (__u16)0xff00U) >> 8)))
#define ___constant_swab32(x) \
	((__u32)((((__u32)(x) & (__u32)0x000000ffUL) << 24) | (((__u32)(x) & (__u32)0x0000ff00UL) << 8) | \
		 (((__u32)(x) & (__u32)0x00ff0000UL) >> 8) | (((__u32)(x) & (__u32)0xff000000UL) >> 24)))
#define ___constant_swab64(x) \
	((__u64)(((__u64)___constant_swab32((__u32)(x)) << 32) | \
		 (__u64)___constant_swab32((__u32)((__u64)(x) >> 32))))
#define __constant_swab16(x) ___constant_swab16(x)
#define __constant_swab32(x) ___constant_swab32(x)
#define __constant_swab64(x) ___constant_swab64(x)

#define __swab16(x) ((__u16)__builtin_bswap16((__u16)(x)))
#define __swab32(x) ((__u32)__builtin_bswap32((__u32)(x)))
#define __swab64(x) ((__u64)__builtin_bswap64((__u64)(x)))

static inline __attribute__((always_inline)) __u16 __swab16p(const __u16 *p)
{
	return __builtin_bswap16(*p);
}

static inline __attribute__((always_inline)) __u32 __swab32p(const __u32 *p)
{
	return __builtin_bswap32(*p);
}

static inline __attribute__((always_inline)) __u64 __swab64p(const __u64 *p)
{
	return __builtin_bswap64(*p);
}

#endif
