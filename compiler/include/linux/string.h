#ifndef _UAPI_LINUX_STRING_H_
#define _UAPI_LINUX_STRING_H_
#include <string.h>
#endif
