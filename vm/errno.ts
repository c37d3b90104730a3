/** errno numbers that the kernel's BPF code returns (asm-generic; ENOTSUPP is kernel-internal). */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  EPROTO: 71,
  EOVERFLOW: 75,
  EBADMSG: 74,
  EBADFD: 77,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  ENOTSUP: 95,
  ENETUNREACH: 101,
  ETIMEDOUT: 110,
  ENOTSUPP: 524,
} as const;

export type ErrnoName = keyof typeof errno;

/** `EINVAL` for 22; the number as text where it has no name here. */
export function errnoName(code: number): string {
  const found = Object.entries(errno).find(([, value]) => value === code);
  return found?.[0] ?? String(code);
}
