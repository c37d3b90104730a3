/* Where a C library's headers are in use, its other headers need its own of this name. */
#if defined(_FEATURES_H) && __has_include_next(<sys/socket.h>)
#include_next <sys/socket.h>
#elif !defined(_SYS_SOCKET_H)
#define _SYS_SOCKET_H
#include <linux/socket.h>
#include <sys/types.h>

typedef unsigned short sa_family_t;
typedef unsigned int socklen_t;

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_LOCAL 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_VSOCK 40
#define PF_UNSPEC AF_UNSPEC
#define PF_UNIX AF_UNIX
#define PF_INET AF_INET
#define PF_INET6 AF_INET6

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_KEEPALIVE 9
#define SO_PRIORITY 12
#define SO_REUSEPORT 15
#define SO_BINDTODEVICE 25
#define SO_MARK 36

struct sockaddr {
	sa_family_t sa_family;
	char sa_data[14];
};

struct sockaddr_storage {
	sa_family_t ss_family;
	char __ss_padding[118];
	unsigned long __ss_align;
};

/* A C library's other headers ask for these. */
#define __SOCKADDR_COMMON(prefix) sa_family_t prefix##family
#define __SOCKADDR_COMMON_SIZE (sizeof(sa_family_t))

#endif
