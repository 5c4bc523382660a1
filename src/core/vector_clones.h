// HOT_VECTOR_CLONES before a function compiles it for several generations of x86-64 vector units; the loader picks one,
// so that one binary runs everywhere and uses what the CPU has. Sanitizers are not ready when the loader picks: one
// version then.
#pragma once

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HOT_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HOT_VECTOR_CLONES
#endif
