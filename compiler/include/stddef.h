#ifndef __STDDEF_H
#define __STDDEF_H
typedef long unsigned int size_t;
typedef long int ptrdiff_t;
typedef int wchar_t;
#ifndef NULL
#define NULL ((void *)0)
#endif
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
