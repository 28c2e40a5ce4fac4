/* SPDX-License-Identifier: Apache-2.0 */
/* Force-included into every file: functions whose use is a mistake do not compile. The headers that
 * declare them come first, so that only uses are caught. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(name) daizong_does_not_use_##name

#undef strcpy
#define strcpy(a, b) BANNED(strcpy)
#undef strcat
#define strcat(a, b) BANNED(strcat)
#undef strncpy
#define strncpy(a, b, n) BANNED(strncpy)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(a, b) BANNED(strtok)
#undef gets
#define gets(a) BANNED(gets)
#undef alloca
#define alloca(n) BANNED(alloca)
#undef atoi
#define atoi(s) BANNED(atoi)
#undef atol
#define atol(s) BANNED(atol)
#undef localtime
#define localtime(t) BANNED(localtime)
#undef gmtime
#define gmtime(t) BANNED(gmtime)
#undef rand
#define rand() BANNED(rand)
#undef system
#define system(s) BANNED(system)
#undef popen
#define popen(a, b) BANNED(popen)
