#ifndef _LINUX_COMPILER_H
#define _LINUX_COMPILER_H
#ifndef __user
#define __user
#endif
#endif
