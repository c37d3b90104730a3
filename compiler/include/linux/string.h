#ifndef _LINUX_STRING_H_
#define _LINUX_STRING_H_
#include <string.h>
#endif
